// The JSON Schema of `with`, from the table of its fields.

#include <stdlib.h>

#include "result.h"

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

char *windlass_with_schema(void) {
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
