// Sums up what is released: the size and the SHA-256 of each file in a folder, and a file that `sha256sum -c` reads.

#include "sha256.h"
#include "windlass.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int shown(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

// Sums a file up. False if it cannot be read.
static bool sum_up(const char *path, char digits[65], uint64_t *size) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) return false;
    sha256_t sum;
    sha256_begin(&sum);
    uint8_t bytes[16384];
    size_t length;
    while ((length = fread(bytes, 1, sizeof bytes, file)) > 0) sha256_add(&sum, bytes, length);
    bool whole = !ferror(file);
    *size = sum.length;
    fclose(file);
    sha256_end(&sum, digits);
    return whole;
}

static void measure(const char *name, double value) {
    windlass_metrics_metric_t metric = {.name = windlass_string(name), .value = value, .unit = windlass_string("By")};
    windlass_metrics_emit(&metric);
}

static bool run(windlass_step_t *step) {
    const char *folder = windlass_with_string(step, "folder", "");
    const char *into = windlass_with_string(step, "into", "");
    struct dirent **entries;
    int count = scandir(folder, &entries, shown, by_name);
    if (count < 0) return windlass_fail(step, "cannot list %s: %s", folder, strerror(errno));
    FILE *list = fopen(into, "w");
    if (list == NULL) return windlass_fail(step, "cannot write %s: %s", into, strerror(errno));

    windlass_json_t *files = windlass_json_list();
    uint64_t total = 0;
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        char *path = windlass_format("%s/%s", folder, name), digits[65];
        struct stat about;
        if (stat(path, &about) == 0 && S_ISDIR(about.st_mode)) continue;
        uint64_t size;
        if (!sum_up(path, digits, &size)) return windlass_fail(step, "cannot read %s: %s", path, strerror(errno));
        fprintf(list, "%s  %s\n", digits, path);
        windlass_info("%s %s, %llu bytes", digits, path, (unsigned long long)size);
        windlass_json_t *file = windlass_json_add(files, windlass_json_table());
        windlass_json_set(file, "name", windlass_json_string(name));
        windlass_json_set(file, "size", windlass_json_natural(size));
        windlass_json_set(file, "sha256", windlass_json_string(windlass_format("%s", digits)));
        total += size;
    }
    if (fclose(list) != 0) return windlass_fail(step, "cannot write %s: %s", into, strerror(errno));
    measure("release-size", (double)total);
    windlass_output(step, "files", files);
    windlass_summarize(step, "%zu files, %llu bytes", files->count, (unsigned long long)total);
    return true;
}

static const windlass_field_t with[] = {
    {.name = "folder", .doc = "The folder with what is released.", .type = WINDLASS_STRING},
    {.name = "into", .doc = "The file for the sums.", .type = WINDLASS_STRING},
    {0},
};

static const windlass_output_t outputs[] = {
    {.name = "files", .doc = "The files: `name`, `size` and `sha256` of each.", .type = WINDLASS_LIST},
    {0},
};

WINDLASS_PLUGIN(
    .name = "checksums", .version = "0.1.0", .documentation = "Sums up what is released.",
    .with = with, .outputs = outputs, .run = run
)
