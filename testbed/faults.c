/* One uniform number a request, cut into the rates one after another; see faults.h. */
#include "testbed/faults.h"

#include "base/random.h"

void faults_init(struct faults *faults, const struct fault_options *options)
{
    *faults = (struct faults){.options = *options};
    faults->key = random_key(options->seed, "testbed faults", 0);
    faults->any = options->error_rate + options->reset_rate + options->stall_rate +
                      options->truncate_rate + options->malformed_rate + options->slow_rate >
                  0;
}

enum fault faults_at(const struct faults *faults, uint64_t number)
{
    const struct fault_options *options = &faults->options;
    const struct {
        double rate;
        enum fault fault;
    } rows[] = {
        {options->error_rate, FAULT_ERROR},         {options->reset_rate, FAULT_RESET},
        {options->stall_rate, FAULT_STALL},         {options->truncate_rate, FAULT_TRUNCATE},
        {options->malformed_rate, FAULT_MALFORMED}, {options->slow_rate, FAULT_SLOW},
    };
    double uniform = random_unit_of(random_bits_at(faults->key, number)), below = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        below += rows[i].rate;
        if (uniform < below)
            return rows[i].fault;
    }
    return FAULT_NONE;
}

enum fault faults_draw(struct faults *faults)
{
    if (!faults->any)
        return FAULT_NONE;
    enum fault fault = faults_at(faults, faults->drawn++);
    if (fault != FAULT_NONE)
        faults->struck++;
    return fault;
}
