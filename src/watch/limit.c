/* Limits over samples; see limit.h. */
#include "watch/limit.h"

static bool is_beyond(const struct watch_limit *limit, double value)
{
    return limit->below ? value < limit->limit : value > limit->limit;
}

static void keep_worst(const struct watch_limit *limit, struct watch_limit_state *state,
                       double value)
{
    if (limit->below ? value < state->worst : value > state->worst)
        state->worst = value;
}

/* A sample beyond the limit; whole: it follows the one before without a gap. */
static enum watch_limit_news go_beyond(const struct watch_limit *limit,
                                       struct watch_limit_state *state, double value, bool whole)
{
    if (!state->beyond || (!whole && !state->held)) {
        state->since_ns = state->last_ns;
        if (!state->held)
            state->worst = value;
    }
    state->beyond = true;
    state->calming = false;
    keep_worst(limit, state, value);
    if (state->held || state->last_ns - state->since_ns < limit->hold_ns)
        return LIMIT_NOTHING;
    state->held = true;
    return LIMIT_HELD;
}

static enum watch_limit_news go_within(const struct watch_limit *limit,
                                       struct watch_limit_state *state)
{
    state->beyond = false;
    if (!state->held)
        return LIMIT_NOTHING;
    if (!state->calming)
        state->within_ns = state->last_ns;
    state->calming = true;
    if (state->last_ns - state->within_ns < limit->calm_ns)
        return LIMIT_NOTHING;
    state->held = state->calming = false;
    return LIMIT_BACK;
}

enum watch_limit_news watch_limit_take(const struct watch_limit *limit,
                                       struct watch_limit_state *state, nsec_t at_ns, double value)
{
    bool whole =
        state->seen && (limit->most_gap_ns == 0 || at_ns - state->last_ns <= limit->most_gap_ns);
    state->seen = true;
    state->last_ns = at_ns;
    return is_beyond(limit, value) ? go_beyond(limit, state, value, whole)
                                   : go_within(limit, state);
}
