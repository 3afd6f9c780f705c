// Making, looking at and writing JSON.

#include "json.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *windlass_alloc(size_t size) {
    void *memory = calloc(1, size > 0 ? size : 1);
    if (memory == NULL) {
        fprintf(stderr, "no memory is left for %zu bytes\n", size);
        abort();
    }
    return memory;
}

// ---- making ----

static windlass_json_t *make(windlass_json_kind_t kind) {
    windlass_json_t *value = windlass_alloc(sizeof *value);
    value->kind = kind;
    return value;
}

static void append(windlass_json_t *to, windlass_json_t *value) {
    if (to->last == NULL) to->first = value;
    else to->last->next = value;
    to->last = value;
    to->count++;
}

windlass_json_t *windlass_json_null(void) { return make(WINDLASS_JSON_NULL); }

windlass_json_t *windlass_json_bool(bool value) {
    windlass_json_t *made = make(WINDLASS_JSON_BOOL);
    made->boolean = value;
    return made;
}

windlass_json_t *windlass_json_text(const void *text, size_t length) {
    windlass_json_t *made = make(WINDLASS_JSON_STRING);
    char *copy = windlass_alloc(length + 1);
    if (length > 0) memcpy(copy, text, length);
    made->text = copy;
    made->length = length;
    return made;
}

windlass_json_t *windlass_json_string(const char *text) { return windlass_json_text(text, strlen(text)); }

static windlass_json_t *digits(const char *text) {
    windlass_json_t *made = windlass_json_string(text);
    made->kind = WINDLASS_JSON_NUMBER;
    return made;
}

windlass_json_t *windlass_json_number(double value) {
    // JSON has no others.
    if (!isfinite(value)) return windlass_json_null();
    char text[32];
    // The fewest digits that stand for exactly this number.
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(text, sizeof text, "%.*g", precision, value);
        if (strtod(text, NULL) == value) break;
    }
    return digits(text);
}

windlass_json_t *windlass_json_integer(int64_t value) {
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    return digits(text);
}

windlass_json_t *windlass_json_natural(uint64_t value) {
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, value);
    return digits(text);
}

windlass_json_t *windlass_json_list(void) { return make(WINDLASS_JSON_LIST); }

windlass_json_t *windlass_json_table(void) { return make(WINDLASS_JSON_TABLE); }

windlass_json_t *windlass_json_add(windlass_json_t *list, windlass_json_t *value) {
    append(list, value);
    return value;
}

windlass_json_t *windlass_json_set(windlass_json_t *table, const char *key, windlass_json_t *value) {
    value->key = key;
    value->key_length = strlen(key);
    append(table, value);
    return value;
}

// ---- looking ----

const windlass_json_t *windlass_json_get(const windlass_json_t *table, const char *key) {
    if (table == NULL || table->kind != WINDLASS_JSON_TABLE) return NULL;
    for (const windlass_json_t *member = table->first; member != NULL; member = member->next) {
        if (member->key_length == strlen(key) && memcmp(member->key, key, member->key_length) == 0) return member;
    }
    return NULL;
}

bool windlass_json_double(const windlass_json_t *value, double *number) {
    if (value == NULL || value->kind != WINDLASS_JSON_NUMBER) return false;
    *number = strtod(value->text, NULL);
    return isfinite(*number);
}

bool windlass_json_signed(const windlass_json_t *value, int64_t *number) {
    if (value == NULL || value->kind != WINDLASS_JSON_NUMBER) return false;
    char *end;
    errno = 0;
    *number = strtoll(value->text, &end, 10);
    return errno == 0 && *end == '\0';
}

bool windlass_json_unsigned(const windlass_json_t *value, uint64_t *number) {
    if (value == NULL || value->kind != WINDLASS_JSON_NUMBER || value->text[0] == '-') return false;
    char *end;
    errno = 0;
    *number = strtoull(value->text, &end, 10);
    return errno == 0 && *end == '\0';
}

// ---- writing ----

typedef struct {
    char *text;
    size_t length, size;
} writer_t;

static void put(writer_t *out, const char *text, size_t length) {
    if (out->length + length > out->size) {
        out->size = (out->length + length) * 2;
        out->text = realloc(out->text, out->size);
        if (out->text == NULL) {
            fprintf(stderr, "no memory is left for %zu bytes\n", out->size);
            abort();
        }
    }
    memcpy(out->text + out->length, text, length);
    out->length += length;
}

static void word(writer_t *out, const char *text) { put(out, text, strlen(text)); }

static void quoted(writer_t *out, const char *text, size_t length) {
    word(out, "\"");
    size_t plain = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        put(out, text + plain, i - plain);
        plain = i + 1;
        char escape[8];
        snprintf(escape, sizeof escape, c < 0x20 ? "\\u%04x" : "\\%c", c);
        word(out, escape);
    }
    put(out, text + plain, length - plain);
    word(out, "\"");
}

static void print(writer_t *out, const windlass_json_t *value) {
    switch (value->kind) {
    case WINDLASS_JSON_NULL: word(out, "null"); break;
    case WINDLASS_JSON_BOOL: word(out, value->boolean ? "true" : "false"); break;
    case WINDLASS_JSON_NUMBER: put(out, value->text, value->length); break;
    case WINDLASS_JSON_STRING: quoted(out, value->text, value->length); break;
    case WINDLASS_JSON_LIST:
    case WINDLASS_JSON_TABLE: {
        bool is_list = value->kind == WINDLASS_JSON_LIST;
        word(out, is_list ? "[" : "{");
        for (const windlass_json_t *member = value->first; member != NULL; member = member->next) {
            if (member != value->first) word(out, ",");
            if (!is_list) {
                quoted(out, member->key, member->key_length);
                word(out, ":");
            }
            print(out, member);
        }
        word(out, is_list ? "]" : "}");
        break;
    }
    }
}

char *windlass_json_print(const windlass_json_t *value, size_t *length) {
    writer_t out = {0};
    print(&out, value);
    if (length != NULL) *length = out.length;
    put(&out, "", 1);
    return out.text;
}
