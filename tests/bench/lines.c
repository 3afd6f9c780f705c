// Prints as many lines as it is told to, each by a write of its own.

#include <stdio.h>
#include <stdlib.h>

int main(int count, char **args) {
    for (long lines = count > 1 ? atol(args[1]) : 0; lines > 0; lines--) {
        puts("a line of the log");
        fflush(stdout);
    }
    return 0;
}
