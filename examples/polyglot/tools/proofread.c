// Reads a text on standard input, says what is wrong with it on standard error, and writes what it counted as JSON to the
// file that is its argument. It knows nothing of Windlass: a program like any other, for a terminal or for WASI.
//
//     clang-19 --target=wasm32-wasi -O2 -o proofread.wasm proofread.c

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { LONGEST = 120 };

int main(int count, char **args) {
    if (count != 2) {
        fprintf(stderr, "usage: proofread FILE.json < TEXT\n");
        return 2;
    }
    unsigned words = 0, lines = 0, wrong = 0;
    char line[4096], before[256] = "";
    while (fgets(line, sizeof line, stdin)) {
        lines++;
        size_t length = strcspn(line, "\n");
        line[length] = '\0';
        if (length > 0 && isspace((unsigned char)line[length - 1])) {
            fprintf(stderr, "line %u ends with a space\n", lines);
            wrong++;
        }
        // A sum that cannot be divided may be long.
        if (length > LONGEST && strchr(line, '`') == NULL) {
            fprintf(stderr, "line %u has %zu bytes\n", lines, length);
            wrong++;
        }
        if (length == 0) before[0] = '\0';
        for (char *word = strtok(line, " \t"); word; word = strtok(NULL, " \t")) {
            if (isalpha((unsigned char)word[0]) && strcmp(word, before) == 0) {
                fprintf(stderr, "line %u: \"%s %s\"\n", lines, word, word);
                wrong++;
            }
            snprintf(before, sizeof before, "%s", word);
            words++;
        }
    }
    FILE *report = fopen(args[1], "w");
    if (report == NULL) {
        perror(args[1]);
        return 2;
    }
    fprintf(report, "{\"words\": %u, \"lines\": %u, \"minutes\": %u}\n", words, lines, words / 200 + 1);
    if (ferror(stdin) || fclose(report) != 0) {
        perror("proofread");
        return 2;
    }
    printf("%u words in %u lines, %u mistakes\n", words, lines, wrong);
    return wrong > 0;
}
