#include "windlass.h"

#include <stdlib.h>

// What becomes of a step.
struct windlass_result {
    windlass_json_t *outputs;
    char *summary;
    char *failure;
    char *hint;
};

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

// ---- exports ----

static windlass_json_t *typed(const char *name) {
    windlass_json_t *schema = windlass_json_table();
    windlass_json_set(schema, "type", windlass_json_string(name));
    return schema;
}

static windlass_json_t *parsed(const char *text) {
    const char *why = NULL;
    windlass_json_t *schema = windlass_json_parse(text, strlen(text), &why);
    if (schema == NULL) {
        fprintf(stderr, "the JSON Schema %s is wrong: %s\n", text, why);
        abort();
    }
    return schema;
}

#define SECRET                                                                                                       \
    "\"properties\":{\"secret\":{\"type\":\"string\",\"minLength\":1,\"description\":\"The name of a secret in "     \
    "`[secrets]`; `grants.secrets` has to list it.\"}},\"required\":[\"secret\"],\"additionalProperties\":false}"

static windlass_json_t *schema_of(const windlass_field_t *field) {
    if (field->schema != NULL) return parsed(field->schema);
    switch (field->type) {
    case WINDLASS_STRING: return typed("string");
    case WINDLASS_INTEGER: return typed("integer");
    case WINDLASS_NUMBER: return typed("number");
    case WINDLASS_BOOL: return typed("boolean");
    case WINDLASS_STRINGS: return parsed("{\"type\":[\"string\",\"array\"],\"items\":{\"type\":\"string\"}}");
    case WINDLASS_LIST: return typed("array");
    case WINDLASS_TABLE: return typed("object");
    case WINDLASS_ANY: return windlass_json_table();
    case WINDLASS_VALUE: return parsed("{\"type\":[\"string\",\"object\"]," SECRET);
    case WINDLASS_SECRET: return parsed("{\"type\":\"object\"," SECRET);
    case WINDLASS_DURATION:
        return parsed("{\"type\":\"string\",\"pattern\":\"^([0-9]+(\\\\.[0-9]+)?(ms|s|m|min|h|d) *)+$\","
                      "\"examples\":[\"500ms\",\"90s\",\"5m\"]}");
    case WINDLASS_SIZE:
        return parsed("{\"type\":\"string\",\"pattern\":\"^[0-9]+(\\\\.[0-9]+)? *(B|[kK]B|[MGT]B|[KMGT]iB)$\","
                      "\"examples\":[\"256MiB\",\"2GiB\"]}");
    }
    fprintf(stderr, "the field `%s` of `with` has neither a type nor a schema\n", field->name);
    abort();
}

static windlass_json_t *words(const char *text) {
    windlass_json_t *list = windlass_json_list();
    for (;;) {
        size_t length = strcspn(text, ",");
        windlass_json_add(list, windlass_json_text(text, length));
        if (text[length] == '\0') return list;
        text += length + 1;
    }
}

static char *with_schema(void) {
    windlass_json_t *properties = windlass_json_table(), *required = windlass_json_list();
    for (const windlass_field_t *field = windlass_plugin.with; field != NULL && field->name != NULL; field++) {
        windlass_json_t *schema = windlass_json_set(properties, field->name, schema_of(field));
        if (field->doc != NULL) windlass_json_set(schema, "description", windlass_json_string(field->doc));
        if (field->choices != NULL) windlass_json_set(schema, "enum", words(field->choices));
        if (!field->optional) windlass_json_add(required, windlass_json_string(field->name));
    }
    windlass_json_t *schema = windlass_json_table();
    windlass_json_set(schema, "$schema", windlass_json_string("https://json-schema.org/draft/2020-12/schema"));
    windlass_json_set(schema, "type", windlass_json_string("object"));
    windlass_json_set(schema, "properties", properties);
    windlass_json_set(schema, "required", required);
    // A misspelt key is an error when the pipeline is checked.
    windlass_json_set(schema, "additionalProperties", windlass_json_bool(false));
    return windlass_json_print(schema, NULL);
}

static exports_windlass_step_output_type_t output_type(windlass_type_t type) {
    switch (type) {
    case WINDLASS_INTEGER:
    case WINDLASS_NUMBER: return EXPORTS_WINDLASS_STEP_OUTPUT_TYPE_NUMBER;
    case WINDLASS_BOOL: return EXPORTS_WINDLASS_STEP_OUTPUT_TYPE_BOOL;
    case WINDLASS_STRINGS:
    case WINDLASS_LIST: return EXPORTS_WINDLASS_STEP_OUTPUT_TYPE_LIST;
    case WINDLASS_TABLE: return EXPORTS_WINDLASS_STEP_OUTPUT_TYPE_OBJECT;
    default: return EXPORTS_WINDLASS_STEP_OUTPUT_TYPE_STRING;
    }
}

// Lines of a log are lines as they are printed, also of a plugin that traps.
static void prepare(void) { setvbuf(stdout, NULL, _IOLBF, BUFSIZ); }

void exports_windlass_step_describe(exports_windlass_step_description_t *ret) {
    prepare();
    const windlass_plugin_t *plugin = &windlass_plugin;
    ret->name = windlass_string(plugin->name);
    ret->version = windlass_string(plugin->version);
    ret->documentation = windlass_string(plugin->documentation);
    ret->with_schema = windlass_string(with_schema());
    size_t count = 0;
    for (const windlass_use_t *use = plugin->uses; use != NULL && use->capability != NULL; use++) count++;
    ret->capabilities.ptr = windlass_alloc(count * sizeof *ret->capabilities.ptr);
    ret->capabilities.len = count;
    for (size_t i = 0; i < count; i++) {
        const windlass_use_t *use = &plugin->uses[i];
        ret->capabilities.ptr[i].name = windlass_string(use->capability);
        ret->capabilities.ptr[i].required = !use->optional;
        ret->capabilities.ptr[i].reason = windlass_string(use->reason);
    }
    count = 0;
    for (const windlass_output_t *output = plugin->outputs; output != NULL && output->name != NULL; output++) count++;
    ret->outputs.ptr = windlass_alloc(count * sizeof *ret->outputs.ptr);
    ret->outputs.len = count;
    for (size_t i = 0; i < count; i++) {
        const windlass_output_t *output = &plugin->outputs[i];
        ret->outputs.ptr[i].name = windlass_string(output->name);
        ret->outputs.ptr[i].type = output_type(output->type);
        ret->outputs.ptr[i].documentation = windlass_string(output->doc);
    }
}

bool exports_windlass_step_run(
    exports_windlass_step_input_t *input, exports_windlass_step_outcome_t *ret, exports_windlass_step_failure_t *err
) {
    prepare();
    struct windlass_result result = {.outputs = windlass_json_table()};
    windlass_step_t step = {
        .pipeline = windlass_text(input->pipeline),
        .stage = windlass_text(input->stage),
        .step = windlass_text(input->step),
        .run = windlass_text(input->run),
        .attempt = input->attempt,
        .result = &result,
    };
    const char *why = NULL;
    step.with = windlass_json_parse((const char *)input->with.ptr, input->with.len, &why);
    bool well = step.with != NULL ? windlass_plugin.run(&step) : windlass_fail(&step, "`with` is not acceptable: %s", why);
    fflush(NULL);
    if (!well) {
        err->message = windlass_string(result.failure != NULL ? result.failure : "the step failed without saying why");
        err->hint = windlass_some(result.hint);
        return false;
    }
    ret->summary = windlass_string(result.summary);
    ret->outputs.ptr = windlass_alloc(result.outputs->count * sizeof *ret->outputs.ptr);
    ret->outputs.len = 0;
    for (const windlass_json_t *output = result.outputs->first; output != NULL; output = output->next) {
        exports_windlass_step_output_t *given = &ret->outputs.ptr[ret->outputs.len++];
        given->name = windlass_string(output->key);
        given->value.ptr = (uint8_t *)windlass_json_print(output, &given->value.len);
    }
    return true;
}

// The host has read what was given, and the instance ends: nothing is freed, and not all of it could be.
void __wasm_export_exports_windlass_step_describe_post_return(uint8_t *given) { (void)given; }
void __wasm_export_exports_windlass_step_run_post_return(uint8_t *given) { (void)given; }

// Windlass says what a component imports and exports when it makes one; this stands for an object file that would.
void __component_type_object_force_link_windlass(void) {}
