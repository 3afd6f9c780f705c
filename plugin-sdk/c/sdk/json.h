// JSON: what `with` is read from, and what outputs are written as.
//
// What is made here is never freed: an instance of a plugin lives for one step.

#ifndef WINDLASS_JSON_H
#define WINDLASS_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    WINDLASS_JSON_NULL,
    WINDLASS_JSON_BOOL,
    WINDLASS_JSON_NUMBER,
    WINDLASS_JSON_STRING,
    WINDLASS_JSON_LIST,
    WINDLASS_JSON_TABLE,
} windlass_json_kind_t;

// A value. Text ends with a NUL that its length does not count; it may hold others.
typedef struct windlass_json {
    windlass_json_kind_t kind;
    // Of a value in a table: its key, and how long that is.
    const char *key;
    size_t key_length;
    bool boolean;
    // Text; of a number its digits, so that no integer loses any.
    const char *text;
    size_t length;
    // The first and last of a list or table, how many there are, and the next beside this one.
    struct windlass_json *first, *last, *next;
    size_t count;
} windlass_json_t;

// Reads text. NULL if it is no JSON; then `*why` says why not, if there is a `why`.
windlass_json_t *windlass_json_parse(const char *text, size_t length, const char **why);

// Writes a value as text that ends with a NUL.
char *windlass_json_print(const windlass_json_t *value, size_t *length);

// The value of a key. NULL if the table has no such key, or if it is no table.
const windlass_json_t *windlass_json_get(const windlass_json_t *table, const char *key);

// A value as a number. False if it is none, or not one of this range.
bool windlass_json_double(const windlass_json_t *value, double *number);
bool windlass_json_signed(const windlass_json_t *value, int64_t *number);
bool windlass_json_unsigned(const windlass_json_t *value, uint64_t *number);

// New values.
windlass_json_t *windlass_json_null(void);
windlass_json_t *windlass_json_bool(bool value);
windlass_json_t *windlass_json_number(double value);
windlass_json_t *windlass_json_integer(int64_t value);
windlass_json_t *windlass_json_natural(uint64_t value);
windlass_json_t *windlass_json_string(const char *text);
windlass_json_t *windlass_json_text(const void *text, size_t length);
windlass_json_t *windlass_json_list(void);
windlass_json_t *windlass_json_table(void);

// Adds a value to the end of a list, or to a table under a key, and gives it.
windlass_json_t *windlass_json_add(windlass_json_t *list, windlass_json_t *value);
windlass_json_t *windlass_json_set(windlass_json_t *table, const char *key, windlass_json_t *value);

// Memory that is zero. There is none left: the plugin ends.
void *windlass_alloc(size_t size);

#ifdef __cplusplus
}
#endif
#endif
