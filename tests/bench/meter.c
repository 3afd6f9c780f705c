// Makes as many calls as it is told to.

#include "windlass.h"

static bool run(windlass_step_t *step) {
    int64_t lines = windlass_with_integer(step, "log", 0), measurements = windlass_with_integer(step, "emit", 0);
    for (int64_t number = 0; number < lines; number++) windlass_info("a line of the log");
    for (int64_t number = 0; number < measurements; number++) {
        windlass_metrics_metric_t metric = {
            .name = windlass_string("meter"), .value = (double)number, .unit = windlass_string("1"),
        };
        windlass_metrics_emit(&metric);
    }
    return true;
}

static const windlass_field_t with[] = {
    {.name = "log", .doc = "How many lines to log.", .type = WINDLASS_INTEGER},
    {.name = "emit", .doc = "How many measurements to record.", .type = WINDLASS_INTEGER},
    {0},
};

WINDLASS_PLUGIN(
    .name = "meter", .version = "0.1.0", .documentation = "Makes as many calls as it is told to.",
    .with = with, .run = run
)
