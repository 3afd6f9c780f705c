// The conformance plugin in C: makes the calls that it is told to make and gives back the answers, as
// tests/guests/asks does.

#include <stdlib.h>

#include "calls.h"

static const windlass_json_t no_arguments = {.kind = WINDLASS_JSON_TABLE};

// Makes a call as often as it says, and gives its last answer. NULL if it cannot be made.
static windlass_json_t *made(const windlass_json_t *told) {
    const windlass_json_t *function = windlass_json_get(told, "function"), *args = windlass_json_get(told, "args");
    uint64_t times = 1;
    windlass_json_unsigned(windlass_json_get(told, "times"), &times);
    wrong = NULL;
    const call_t *call = calls;
    while (call->function != NULL && strcmp(call->function, function->text) != 0) call++;
    if (call->function == NULL) {
        wrong = "there is no such function";
        return NULL;
    }
    windlass_json_t *answer = windlass_json_null();
    for (uint64_t i = 0; i < times && wrong == NULL; i++) answer = call->call(args != NULL ? args : &no_arguments);
    return wrong == NULL ? answer : NULL;
}

static bool is(const windlass_json_t *value, const char *text) {
    return value != NULL && value->kind == WINDLASS_JSON_STRING && strcmp(value->text, text) == 0;
}

static bool run(windlass_step_t *step) {
    const char *say = windlass_with_string(step, "say", NULL);
    if (say != NULL) windlass_info("%s", say);
    windlass_json_t *answers = windlass_json_list(), *last = windlass_json_table();
    int64_t errors = 0;
    for (const windlass_json_t *told = windlass_with(step, "calls")->first; told != NULL; told = told->next) {
        const char *function = windlass_json_get(told, "function")->text;
        windlass_json_t *answer = made(told);
        if (answer == NULL) return windlass_fail(step, "%s: %s", function, wrong);
        const windlass_json_t *error = windlass_json_get(answer, "err");
        if (error != NULL) errors++;
        if (error != NULL && is(windlass_json_get(told, "or"), "fail")) {
            return windlass_fail(step, "%s: %s", function, error->first->text);
        }
        last = answer;
        windlass_json_add(answers, answer);
    }
    const windlass_json_t *then = windlass_with(step, "then");
    if (is(then, "fail")) {
        return windlass_fail(step, "told to fail; answers: %s", windlass_json_print(answers, NULL));
    }
    if (is(then, "trap")) abort();
    // An endless loop that does nothing would be none.
    if (is(then, "spin")) for (volatile int i = 0;; i++) {}
    const char *summary = windlass_with_string(step, "summary", NULL);
    if (summary != NULL) windlass_summarize(step, "%s", summary);
    const windlass_json_t *echo = windlass_with(step, "echo");
    if (echo != NULL) windlass_output_string(step, "echo", "%s", windlass_json_print(echo, NULL));
    windlass_output(step, "answers", answers);
    windlass_output(step, "last", last);
    windlass_output_integer(step, "errors", errors);
    windlass_output_integer(step, "attempt", step->attempt);
    windlass_output_string(step, "place", "%s %s/%s/%s", step->run, step->pipeline, step->stage, step->step);
    return true;
}

static const windlass_field_t with[] = {
    {.name = "calls", .doc = "The calls, in this order: function, args, times, or.", .type = WINDLASS_LIST},
    {.name = "then", .doc = "What to do when all calls are made.", .type = WINDLASS_STRING, .optional = true,
     .choices = "succeed,fail,trap,spin"},
    {.name = "summary", .doc = "The step's summary.", .type = WINDLASS_STRING, .optional = true},
    {.name = "say", .doc = "What to log at the start.", .type = WINDLASS_STRING, .optional = true},
    {.name = "echo", .doc = "Anything: given back as the output echo.", .type = WINDLASS_ANY, .optional = true},
    {0},
};

static const windlass_output_t outputs[] = {
    {.name = "answers", .doc = "The answer of each call: { ok = ... }, or { err = { denied = ... } }.",
     .type = WINDLASS_LIST},
    {.name = "last", .doc = "The last answer by itself.", .type = WINDLASS_TABLE},
    {.name = "errors", .doc = "How many answers are errors.", .type = WINDLASS_INTEGER},
    {.name = "echo", .doc = "What with.echo holds, as JSON text.", .type = WINDLASS_STRING},
    {.name = "attempt", .doc = "Which attempt of the step this is.", .type = WINDLASS_INTEGER},
    {.name = "place", .doc = "The run, and the pipeline, stage and step.", .type = WINDLASS_STRING},
    {0},
};

static const windlass_use_t uses[] = {
    {.capability = "approval", .reason = "for calls of `approval`", .optional = true},
    {.capability = "artifacts", .reason = "for calls of `artifacts`", .optional = true},
    {.capability = "docker", .reason = "for calls of `docker`", .optional = true},
    {.capability = "health", .reason = "for calls of `health`", .optional = true},
    {.capability = "http", .reason = "for calls of `http`", .optional = true},
    {.capability = "process", .reason = "for calls of `process`", .optional = true},
    {.capability = "query", .reason = "for calls of `query`", .optional = true},
    {.capability = "traffic", .reason = "for calls of `traffic`", .optional = true},
    {0},
};

WINDLASS_PLUGIN(
    .name = "conformance", .version = "0.1.0",
    .documentation = "Makes the calls that it is told to make, and gives back the answers.",
    .with = with, .outputs = outputs, .uses = uses, .run = run
)
