// Reading JSON.

#include <string.h>

#include "json.h"

// Deeper than any `with`, and not so deep that the stack runs out.
enum { DEEPEST = 200 };

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

static windlass_json_t *value(reader_t *in, int depth);

// Reads a list or a table, whose beginning has been read.
static windlass_json_t *members(reader_t *in, windlass_json_kind_t kind, int depth) {
    bool is_list = kind == WINDLASS_JSON_LIST;
    windlass_json_t *all = is_list ? windlass_json_list() : windlass_json_table();
    const char *end = is_list ? "]" : "}";
    skip(in);
    if (take(in, end)) return all;
    do {
        const char *key = NULL;
        size_t key_length = 0;
        skip(in);
        if (!is_list) {
            key = string(in, &key_length);
            if (key == NULL) return NULL;
            skip(in);
            if (!take(in, ":")) return failed(in, "a `:` is missing");
        }
        windlass_json_t *member = value(in, depth + 1);
        if (member == NULL) return NULL;
        member->key = key;
        member->key_length = key_length;
        windlass_json_add(all, member);
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
        windlass_json_t *text = windlass_alloc(sizeof *text);
        text->kind = WINDLASS_JSON_STRING;
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
