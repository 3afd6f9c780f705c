// What a plugin is written with: texts, the fields of `with`, outputs.

#include <stdlib.h>

#include "result.h"

// ---- texts ----

char *windlass_vformat(const char *format, va_list args) {
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length < 0) return "(a text that cannot be written)";
    char *text = windlass_alloc((size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, args);
    return text;
}

char *windlass_format(const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *text = windlass_vformat(format, args);
    va_end(args);
    return text;
}

windlass_string_t windlass_string(const char *text) {
    return (windlass_string_t){.ptr = (uint8_t *)text, .len = text == NULL ? 0 : strlen(text)};
}

char *windlass_text(windlass_string_t text) {
    char *copy = windlass_alloc(text.len + 1);
    if (text.len > 0) memcpy(copy, text.ptr, text.len);
    return copy;
}

windlass_option_string_t windlass_some(const char *text) {
    return (windlass_option_string_t){.is_some = text != NULL, .val = windlass_string(text)};
}

windlass_list_string_t windlass_strings_until_null(const char *first, ...) {
    size_t count = 0;
    va_list args;
    va_start(args, first);
    for (const char *text = first; text != NULL; text = va_arg(args, const char *)) count++;
    va_end(args);
    windlass_list_string_t list = {.ptr = windlass_alloc(count * sizeof *list.ptr), .len = count};
    va_start(args, first);
    const char *text = first;
    for (size_t i = 0; i < count; i++, text = va_arg(args, const char *)) list.ptr[i] = windlass_string(text);
    va_end(args);
    return list;
}

windlass_value_pair_t windlass_pair(const char *name, const char *value) {
    return (windlass_value_pair_t){.name = windlass_string(name), .value = windlass_string(value)};
}

windlass_value_named_value_t windlass_named(const char *name, windlass_value_value_t value) {
    return (windlass_value_named_value_t){.name = windlass_string(name), .value = value};
}

windlass_value_value_t windlass_plain(const char *text) {
    return (windlass_value_value_t){.tag = WINDLASS_VALUE_VALUE_PLAIN, .val.plain = windlass_string(text)};
}

windlass_value_value_t windlass_secret(const char *name) {
    return (windlass_value_value_t){.tag = WINDLASS_VALUE_VALUE_SECRET, .val.secret = windlass_string(name)};
}

void windlass_log(windlass_log_level_t level, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *text = windlass_vformat(format, args);
    va_end(args);
    // What was printed before comes before.
    fflush(stdout);
    windlass_string_t message = windlass_string(text);
    windlass_log_log(level, &message);
    free(text);
}

// ---- with ----

const windlass_json_t *windlass_with(const windlass_step_t *step, const char *name) {
    return windlass_json_get(step->with, name);
}

const char *windlass_with_string(const windlass_step_t *step, const char *name, const char *otherwise) {
    const windlass_json_t *value = windlass_with(step, name);
    return value == NULL || value->kind != WINDLASS_JSON_STRING ? otherwise : value->text;
}

int64_t windlass_with_integer(const windlass_step_t *step, const char *name, int64_t otherwise) {
    int64_t number;
    return windlass_json_signed(windlass_with(step, name), &number) ? number : otherwise;
}

double windlass_with_number(const windlass_step_t *step, const char *name, double otherwise) {
    double number;
    return windlass_json_double(windlass_with(step, name), &number) ? number : otherwise;
}

bool windlass_with_bool(const windlass_step_t *step, const char *name, bool otherwise) {
    const windlass_json_t *value = windlass_with(step, name);
    return value == NULL || value->kind != WINDLASS_JSON_BOOL ? otherwise : value->boolean;
}

// A unit and how much it is.
typedef struct {
    const char *name;
    double worth;
} unit_t;

// Reads numbers with units, one behind the other. The host has checked the form.
static bool amounts(const windlass_json_t *value, const unit_t *units, uint64_t *amount) {
    if (value == NULL || value->kind != WINDLASS_JSON_STRING) return false;
    double sum = 0;
    const char *at = value->text;
    while (*at != '\0') {
        char *end;
        double number = strtod(at, &end);
        if (end == at) return false;
        at = end + strspn(end, " ");
        size_t length = strcspn(at, "0123456789. ");
        const unit_t *unit = units;
        while (unit->name != NULL && (strlen(unit->name) != length || memcmp(unit->name, at, length) != 0)) unit++;
        if (unit->name == NULL) return false;
        sum += number * unit->worth;
        at += length;
        at += strspn(at, " ");
    }
    *amount = (uint64_t)(sum + 0.5);
    return true;
}

uint64_t windlass_with_millis(const windlass_step_t *step, const char *name, uint64_t otherwise) {
    static const unit_t units[] = {{"ms", 1}, {"s", 1e3}, {"m", 60e3}, {"min", 60e3}, {"h", 3600e3}, {"d", 86400e3}, {0}};
    uint64_t millis;
    return amounts(windlass_with(step, name), units, &millis) ? millis : otherwise;
}

uint64_t windlass_with_bytes(const windlass_step_t *step, const char *name, uint64_t otherwise) {
    static const unit_t units[] = {
        {"B", 1}, {"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12},
        {"KiB", 1024.0}, {"MiB", 1048576.0}, {"GiB", 1073741824.0}, {"TiB", 1099511627776.0}, {0},
    };
    uint64_t bytes;
    return amounts(windlass_with(step, name), units, &bytes) ? bytes : otherwise;
}

windlass_list_string_t windlass_with_strings(const windlass_step_t *step, const char *name) {
    const windlass_json_t *value = windlass_with(step, name);
    if (value == NULL) return (windlass_list_string_t){0};
    if (value->kind == WINDLASS_JSON_STRING) return windlass_strings(value->text);
    windlass_list_string_t list = {.ptr = windlass_alloc(value->count * sizeof *list.ptr), .len = 0};
    for (const windlass_json_t *item = value->first; item != NULL; item = item->next) {
        list.ptr[list.len++] = (windlass_string_t){.ptr = (uint8_t *)item->text, .len = item->length};
    }
    return list;
}

windlass_value_value_t windlass_with_value(const windlass_step_t *step, const char *name) {
    const windlass_json_t *value = windlass_with(step, name);
    const windlass_json_t *secret = windlass_json_get(value, "secret");
    if (secret != NULL) return windlass_secret(secret->text);
    return windlass_plain(windlass_with_string(step, name, ""));
}

// ---- what comes of it ----

#define FORMATTED(text)                     \
    va_list args;                           \
    va_start(args, format);                 \
    text = windlass_vformat(format, args);  \
    va_end(args)

void windlass_output(windlass_step_t *step, const char *name, const windlass_json_t *value) {
    // One value can be several outputs.
    windlass_json_t *copy = windlass_alloc(sizeof *copy);
    *copy = *value;
    copy->next = NULL;
    windlass_json_set(step->result->outputs, name, copy);
}

void windlass_output_string(windlass_step_t *step, const char *name, const char *format, ...) {
    char *text;
    FORMATTED(text);
    windlass_output(step, name, windlass_json_string(text));
}

void windlass_output_integer(windlass_step_t *step, const char *name, int64_t value) {
    windlass_output(step, name, windlass_json_integer(value));
}

void windlass_output_number(windlass_step_t *step, const char *name, double value) {
    windlass_output(step, name, windlass_json_number(value));
}

void windlass_output_bool(windlass_step_t *step, const char *name, bool value) {
    windlass_output(step, name, windlass_json_bool(value));
}

void windlass_summarize(windlass_step_t *step, const char *format, ...) { FORMATTED(step->result->summary); }

bool windlass_fail(windlass_step_t *step, const char *format, ...) {
    FORMATTED(step->result->failure);
    return false;
}

bool windlass_hint(windlass_step_t *step, const char *format, ...) {
    FORMATTED(step->result->hint);
    return false;
}
