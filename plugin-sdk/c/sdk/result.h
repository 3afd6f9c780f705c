// What becomes of a step: between the functions that a plugin calls and the export that gives it to the host.

#ifndef WINDLASS_RESULT_H
#define WINDLASS_RESULT_H

#include "windlass.h"

struct windlass_result {
    windlass_json_t *outputs;
    char *summary;
    char *failure;
    char *hint;
};

// The JSON Schema of `with`.
char *windlass_with_schema(void);

#endif
