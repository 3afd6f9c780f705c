// Plugins for Windlass in C. A plugin is a table of what it is, and a function that does the work:
//
//     #include "windlass.h"
//
//     static bool run(windlass_step_t *step) {
//         printf("hello, %s\n", windlass_with_string(step, "name", "you"));
//         return true;
//     }
//
//     static const windlass_field_t with[] = {
//         {.name = "name", .doc = "Whom to greet.", .type = WINDLASS_STRING},
//         {0},
//     };
//
//     WINDLASS_PLUGIN(.name = "greet", .version = "0.1.0", .documentation = "Greets somebody.", .with = with, .run = run)
//
// What a plugin does to the world it does through the functions of bindings.h: windlass_docker_run and so on. A call is
// answered only if the plugin declares the capability and pipeline.toml grants it. What it prints goes to the step's log.
//
// An instance of a plugin lives for one step, so nothing has to be freed. What asks for much, again and again, can free
// it all the same: windlass_docker_exit_free and so on.

#ifndef WINDLASS_H
#define WINDLASS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "bindings.h"
#include "json.h"

#ifdef __cplusplus
extern "C" {
#endif

// ---- what a plugin is ----

// The type of a field of `with`, or of an output.
typedef enum {
    WINDLASS_STRING = 1,
    WINDLASS_INTEGER,
    WINDLASS_NUMBER,
    WINDLASS_BOOL,
    // A list of strings; as a field also a single one.
    WINDLASS_STRINGS,
    // A list of anything, a table of anything, and anything.
    WINDLASS_LIST,
    WINDLASS_TABLE,
    WINDLASS_ANY,
    // Text that may be secret, as "text" or { secret = "name" }, and what has to be a secret.
    WINDLASS_VALUE,
    WINDLASS_SECRET,
    // "90s", "1m30s"; "256MiB".
    WINDLASS_DURATION,
    WINDLASS_SIZE,
} windlass_type_t;

// A field of `with`. A list of them ends with one that is all zero.
typedef struct {
    const char *name;
    // What it means.
    const char *doc;
    windlass_type_t type;
    // It may be left out.
    bool optional;
    // The words that it may be, as in "low,high".
    const char *choices;
    // A JSON Schema, for what no type says.
    const char *schema;
} windlass_field_t;

// What later steps can use. A list of them ends with one that is all zero.
typedef struct {
    const char *name;
    // What it means.
    const char *doc;
    windlass_type_t type;
} windlass_output_t;

// A capability that the plugin requires or can use: approval, artifacts, docker, files, health, http, process, query,
// traffic. A list of them ends with one that is all zero.
typedef struct {
    const char *capability;
    // What it is needed for.
    const char *reason;
    // Only some uses of the plugin need it; else a step that does not grant it fails the check.
    bool optional;
} windlass_use_t;

// A step that runs.
typedef struct windlass_step windlass_step_t;

// A plugin.
typedef struct {
    const char *name;
    // By semantic versioning.
    const char *version;
    // What it does, in Markdown. The first line is its summary.
    const char *documentation;
    const windlass_field_t *with;
    const windlass_output_t *outputs;
    const windlass_use_t *uses;
    // Does the work. False fails the step: `return windlass_fail(step, ...)` says why.
    bool (*run)(windlass_step_t *step);
} windlass_plugin_t;

extern const windlass_plugin_t windlass_plugin;

// Says what the plugin is, once in a program.
#define WINDLASS_PLUGIN(...) const windlass_plugin_t windlass_plugin = {__VA_ARGS__};

// ---- what it takes ----

// Where in the run the step stands.
struct windlass_step {
    const char *pipeline;
    const char *stage;
    const char *step;
    const char *run;
    // Which attempt this is, from 1.
    uint32_t attempt;
    // All of `with`.
    const windlass_json_t *with;
    // What becomes of it.
    struct windlass_result *result;
};

// The fields of `with`, or what is given otherwise if the field is left out. The host has checked their types.
const char *windlass_with_string(const windlass_step_t *step, const char *name, const char *otherwise);
int64_t windlass_with_integer(const windlass_step_t *step, const char *name, int64_t otherwise);
double windlass_with_number(const windlass_step_t *step, const char *name, double otherwise);
bool windlass_with_bool(const windlass_step_t *step, const char *name, bool otherwise);
uint64_t windlass_with_millis(const windlass_step_t *step, const char *name, uint64_t otherwise);
uint64_t windlass_with_bytes(const windlass_step_t *step, const char *name, uint64_t otherwise);
// Empty if it is left out.
windlass_list_string_t windlass_with_strings(const windlass_step_t *step, const char *name);
// Plain empty text if it is left out.
windlass_value_value_t windlass_with_value(const windlass_step_t *step, const char *name);
// NULL if it is left out.
const windlass_json_t *windlass_with(const windlass_step_t *step, const char *name);

// ---- what it gives ----

// Outputs for later steps, as described.
void windlass_output_string(windlass_step_t *step, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void windlass_output_integer(windlass_step_t *step, const char *name, int64_t value);
void windlass_output_number(windlass_step_t *step, const char *name, double value);
void windlass_output_bool(windlass_step_t *step, const char *name, bool value);
void windlass_output(windlass_step_t *step, const char *name, const windlass_json_t *value);

// Says in a line what the step did. The last call counts.
void windlass_summarize(windlass_step_t *step, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Says why the step failed, and gives false.
bool windlass_fail(windlass_step_t *step, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Says what to do about it, and gives false.
bool windlass_hint(windlass_step_t *step, const char *format, ...) __attribute__((format(printf, 2, 3)));

// ---- the step's log ----

void windlass_log(windlass_log_level_t level, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define windlass_debug(...) windlass_log(WINDLASS_LOG_LEVEL_DEBUG, __VA_ARGS__)
#define windlass_info(...) windlass_log(WINDLASS_LOG_LEVEL_INFO, __VA_ARGS__)
#define windlass_warn(...) windlass_log(WINDLASS_LOG_LEVEL_WARN, __VA_ARGS__)
#define windlass_error(...) windlass_log(WINDLASS_LOG_LEVEL_ERROR, __VA_ARGS__)

// ---- texts, lists and what may be absent ----

// C's text as the contract has it. It is not copied.
windlass_string_t windlass_string(const char *text);

// A text of the contract as C has it: a copy that ends with a NUL.
char *windlass_text(windlass_string_t text);

// Prints a text of the contract: printf("it said " WINDLASS_TEXT "\n", WINDLASS_ARG(exit.stdout_tail)).
#define WINDLASS_TEXT "%.*s"
#define WINDLASS_ARG(text) (int)(text).len, (const char *)(text).ptr

// Text that is there.
windlass_option_string_t windlass_some(const char *text);

// A list of texts: windlass_strings("sh", "-c", "true").
#define windlass_strings(...) windlass_strings_until_null(__VA_ARGS__, (const char *)NULL)
windlass_list_string_t windlass_strings_until_null(const char *first, ...);

// Names with texts, and with values that may be secret. A plugin never holds a secret: it passes its name on, and the
// host puts the secret in.
windlass_value_pair_t windlass_pair(const char *name, const char *value);
windlass_value_named_value_t windlass_named(const char *name, windlass_value_value_t value);
windlass_value_value_t windlass_plain(const char *text);
windlass_value_value_t windlass_secret(const char *name);

// Text that is made like printf's.
char *windlass_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *windlass_vformat(const char *format, va_list args);

#ifdef __cplusplus
}
#endif

#include "errors.h"

#endif
