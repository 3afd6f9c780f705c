#include "calls.h"

const char *wrong;

static void refuse(const char *what, const windlass_json_t *v) {
    if (wrong != NULL) return;
    wrong = windlass_format("%s %s", v == NULL ? "what is left out" : windlass_json_print(v, NULL), what);
}

const windlass_json_t *take(const windlass_json_t *table, const char *name, size_t *known) {
    const windlass_json_t *value = windlass_json_get(table, name);
    if (value != NULL) (*known)++;
    return value;
}

void read_all(const windlass_json_t *table, size_t known) {
    if (table == NULL) return;
    if (table->kind != WINDLASS_JSON_TABLE) refuse("is no object", table);
    else if (table->count != known) refuse("has a field that there is not", table);
}

bool is_there(const windlass_json_t *v) { return v != NULL && v->kind != WINDLASS_JSON_NULL; }

void read_bool(const windlass_json_t *v, bool *into) {
    *into = v != NULL && v->boolean;
    if (v != NULL && v->kind != WINDLASS_JSON_BOOL) refuse("is neither true nor false", v);
}

void read_text(const windlass_json_t *v, windlass_string_t *into) {
    *into = (windlass_string_t){0};
    if (v == NULL || v->kind != WINDLASS_JSON_STRING) refuse("is no text", v);
    else *into = (windlass_string_t){.ptr = (uint8_t *)v->text, .len = v->length};
}

void read_bytes(const windlass_json_t *v, windlass_list_u8_t *into) {
    *into = (windlass_list_u8_t){0};
    if (v == NULL) return;
    if (v->kind == WINDLASS_JSON_STRING) {
        *into = (windlass_list_u8_t){.ptr = (uint8_t *)v->text, .len = v->length};
        return;
    }
    const windlass_json_t *list = read_list(v);
    if (list == NULL) return;
    into->ptr = windlass_alloc(list->count);
    for (const windlass_json_t *item = list->first; item != NULL; item = item->next) {
        into->ptr[into->len++] = (uint8_t)read_unsigned(item, UINT8_MAX);
    }
}

void read_double(const windlass_json_t *v, double *into) {
    *into = 0;
    if (!windlass_json_double(v, into)) refuse("is no number", v);
}

int64_t read_signed(const windlass_json_t *v, int64_t least, int64_t most) {
    int64_t number = 0;
    if (!windlass_json_signed(v, &number) || number < least || number > most) refuse("is no number in range", v);
    return number;
}

uint64_t read_unsigned(const windlass_json_t *v, uint64_t most) {
    uint64_t number = 0;
    if (!windlass_json_unsigned(v, &number) || number > most) refuse("is no number in range", v);
    return number;
}

const windlass_json_t *read_list(const windlass_json_t *v) {
    if (v == NULL) return NULL;
    if (v->kind == WINDLASS_JSON_LIST) return v;
    refuse("is no list", v);
    return NULL;
}

size_t read_case(const windlass_json_t *v, const char *const *names) {
    if (v == NULL) return 0;
    const char *name = v->text;
    if (v->kind == WINDLASS_JSON_TABLE && v->count == 1) name = v->first->key;
    for (size_t i = 0; name != NULL && names[i] != NULL; i++) {
        if (strcmp(name, names[i]) == 0) return i;
    }
    refuse("is no case", v);
    return 0;
}

const windlass_json_t *read_carried(const windlass_json_t *v) {
    return v != NULL && v->kind == WINDLASS_JSON_TABLE ? v->first : NULL;
}

// How many bytes a character takes that begins here, by UTF-8; 0 if none does.
static size_t character(const uint8_t *at, size_t left) {
    uint8_t first = at[0];
    size_t length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (length == 0 || length > left) return 0;
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80) return 0;
    }
    // Too long a form, half a pair, and beyond the last.
    if (first == 0xe0 && at[1] < 0xa0) return 0;
    if (first == 0xed && at[1] >= 0xa0) return 0;
    if (first == 0xf0 && at[1] < 0x90) return 0;
    if (first == 0xf4 && at[1] >= 0x90) return 0;
    return length;
}

windlass_json_t *write_bytes(const windlass_list_u8_t *v) {
    size_t at = 0;
    while (at < v->len) {
        size_t length = character(v->ptr + at, v->len - at);
        if (length == 0) break;
        at += length;
    }
    if (at == v->len) return windlass_json_text(v->ptr, v->len);
    windlass_json_t *list = windlass_json_list();
    for (size_t i = 0; i < v->len; i++) windlass_json_add(list, windlass_json_natural(v->ptr[i]));
    return list;
}

windlass_json_t *answered(windlass_json_t *value) {
    windlass_json_t *answer = windlass_json_table();
    windlass_json_set(answer, "ok", value);
    return answer;
}

windlass_json_t *failed_with(const char *name, windlass_string_t message) {
    windlass_json_t *error = windlass_json_table(), *answer = windlass_json_table();
    windlass_json_set(error, name, windlass_json_text(message.ptr, message.len));
    windlass_json_set(answer, "err", error);
    return answer;
}
