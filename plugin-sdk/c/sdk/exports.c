// What the host calls: `describe` and `run`.

#include "result.h"

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
    ret->with_schema = windlass_string(windlass_with_schema());
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
