#include "json.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Deeper than any `with`, and not so deep that the stack runs out.
enum { DEEPEST = 200 };

void *windlass_alloc(size_t size) {
    void *memory = calloc(1, size > 0 ? size : 1);
    if (memory == NULL) {
        fprintf(stderr, "no memory is left for %zu bytes\n", size);
        abort();
    }
    return memory;
}

static windlass_json_t *make(windlass_json_kind_t kind) {
    windlass_json_t *value = windlass_alloc(sizeof *value);
    value->kind = kind;
    return value;
}

// ---- reading ----

typedef struct {
    const char *at, *end;
    const char *why;
} reader_t;

static windlass_json_t *failed(reader_t *in, const char *why) {
    if (in->why == NULL) in->why = why;
    return NULL;
}

static void skip(reader_t *in) {
    while (in->at < in->end && strchr(" \t\r\n", *in->at) != NULL && *in->at != '\0') in->at++;
}

static bool take(reader_t *in, const char *word) {
    size_t length = strlen(word);
    if ((size_t)(in->end - in->at) < length || memcmp(in->at, word, length) != 0) return false;
    in->at += length;
    return true;
}

static bool hex(reader_t *in, uint32_t *code) {
    *code = 0;
    for (int i = 0; i < 4; i++, in->at++) {
        if (in->at == in->end) return false;
        char c = *in->at;
        uint32_t digit;
        if (c >= '0' && c <= '9') digit = (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f') digit = (uint32_t)(c - 'a') + 10;
        else if (c >= 'A' && c <= 'F') digit = (uint32_t)(c - 'A') + 10;
        else return false;
        *code = *code * 16 + digit;
    }
    return true;
}

static size_t utf8(uint32_t code, char *to) {
    if (code < 0x80) {
        to[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        to[0] = (char)(0xc0 | code >> 6);
        to[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        to[0] = (char)(0xe0 | code >> 12);
        to[1] = (char)(0x80 | (code >> 6 & 0x3f));
        to[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    to[0] = (char)(0xf0 | code >> 18);
    to[1] = (char)(0x80 | (code >> 12 & 0x3f));
    to[2] = (char)(0x80 | (code >> 6 & 0x3f));
    to[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

// Reads what follows `\u`, both halves of a pair.
static bool escaped(reader_t *in, char *to, size_t *length) {
    uint32_t code, low;
    if (!hex(in, &code)) return false;
    if (code >= 0xd800 && code < 0xdc00) {
        if (!take(in, "\\u") || !hex(in, &low) || low < 0xdc00 || low > 0xdfff) return false;
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    } else if (code >= 0xdc00 && code < 0xe000) {
        return false;
    }
    *length += utf8(code, to + *length);
    return true;
}

static const char *string(reader_t *in, size_t *length) {
    if (!take(in, "\"")) return failed(in, "a string is missing"), NULL;
    // No escape is shorter than what it stands for.
    const char *end = in->at;
    while (end < in->end && *end != '"') end += *end == '\\' && end + 1 < in->end ? 2 : 1;
    char *text = windlass_alloc((size_t)(end - in->at) + 1);
    *length = 0;
    while (in->at < in->end) {
        char c = *in->at++;
        if (c == '"') return text;
        if ((unsigned char)c < 0x20) break;
        if (c != '\\') {
            text[(*length)++] = c;
            continue;
        }
        if (in->at == in->end) break;
        static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
        c = *in->at++;
        const char *known = c == '\0' ? NULL : strchr(from, c);
        if (known != NULL) text[(*length)++] = to[known - from];
        else if (c != 'u' || !escaped(in, text, length)) return failed(in, "an escape in a string is wrong"), NULL;
    }
    return failed(in, "a string does not end"), NULL;
}

static windlass_json_t *number(reader_t *in) {
    const char *start = in->at;
    if (start == in->end) return failed(in, "a value is missing");
    take(in, "-");
    const char *digits = in->at;
    while (in->at < in->end && *in->at >= '0' && *in->at <= '9') in->at++;
    if (in->at == digits || (*digits == '0' && in->at - digits > 1)) return failed(in, "a number is wrong");
    if (take(in, ".")) {
        const char *fraction = in->at;
        while (in->at < in->end && *in->at >= '0' && *in->at <= '9') in->at++;
        if (in->at == fraction) return failed(in, "a number is wrong");
    }
    if (take(in, "e") || take(in, "E")) {
        if (!take(in, "+")) take(in, "-");
        const char *exponent = in->at;
        while (in->at < in->end && *in->at >= '0' && *in->at <= '9') in->at++;
        if (in->at == exponent) return failed(in, "a number is wrong");
    }
    windlass_json_t *value = windlass_json_text(start, (size_t)(in->at - start));
    value->kind = WINDLASS_JSON_NUMBER;
    return value;
}

static void append(windlass_json_t *to, windlass_json_t *value) {
    if (to->last == NULL) to->first = value;
    else to->last->next = value;
    to->last = value;
    to->count++;
}

static windlass_json_t *value(reader_t *in, int depth);

// Reads a list or a table, whose beginning has been read.
static windlass_json_t *members(reader_t *in, windlass_json_kind_t kind, int depth) {
    windlass_json_t *all = make(kind);
    const char *end = kind == WINDLASS_JSON_LIST ? "]" : "}";
    skip(in);
    if (take(in, end)) return all;
    do {
        const char *key = NULL;
        size_t key_length = 0;
        skip(in);
        if (kind == WINDLASS_JSON_TABLE) {
            key = string(in, &key_length);
            if (key == NULL) return NULL;
            skip(in);
            if (!take(in, ":")) return failed(in, "a `:` is missing");
        }
        windlass_json_t *member = value(in, depth + 1);
        if (member == NULL) return NULL;
        member->key = key;
        member->key_length = key_length;
        append(all, member);
        skip(in);
    } while (take(in, ","));
    return take(in, end) ? all : failed(in, "a list or table does not end");
}

static windlass_json_t *value(reader_t *in, int depth) {
    if (depth > DEEPEST) return failed(in, "it is nested too deep");
    skip(in);
    if (take(in, "null")) return windlass_json_null();
    if (take(in, "true")) return windlass_json_bool(true);
    if (take(in, "false")) return windlass_json_bool(false);
    if (take(in, "[")) return members(in, WINDLASS_JSON_LIST, depth);
    if (take(in, "{")) return members(in, WINDLASS_JSON_TABLE, depth);
    if (in->at < in->end && *in->at == '"') {
        windlass_json_t *text = make(WINDLASS_JSON_STRING);
        text->text = string(in, &text->length);
        return text->text == NULL ? NULL : text;
    }
    return number(in);
}

windlass_json_t *windlass_json_parse(const char *text, size_t length, const char **why) {
    reader_t in = {.at = text, .end = text + length};
    windlass_json_t *read = value(&in, 0);
    skip(&in);
    if (read != NULL && in.at != in.end) read = failed(&in, "something follows its end");
    if (read == NULL && why != NULL) *why = in.why;
    return read;
}

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

// ---- making ----

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
