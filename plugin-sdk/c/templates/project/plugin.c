// What the plugin does.

#include "windlass.h"

static bool greet(windlass_step_t *step) {
    const char *name = windlass_with_string(step, "name", "");
    if (name[0] == '\0') return windlass_fail(step, "there is nobody to greet");
    char *greeting = windlass_format("hello, %s", name);
    printf("%s\n", greeting);
    windlass_output_string(step, "greeting", "%s", greeting);
    return true;
}

// What a step gives to the plugin.
static const windlass_field_t with[] = {
    {.name = "name", .doc = "Whom to greet.", .type = WINDLASS_STRING},
    {0},
};

// What a step gives to later ones.
static const windlass_output_t outputs[] = {
    {.name = "greeting", .doc = "The greeting.", .type = WINDLASS_STRING},
    {0},
};

WINDLASS_PLUGIN(
    .name = "{{name}}", .version = "0.1.0", .documentation = "Greets somebody.",
    .with = with, .outputs = outputs, .run = greet
)
