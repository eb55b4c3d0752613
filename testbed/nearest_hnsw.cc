// The approximate index of the testbed's collections, by hnswlib (C++, Debian libhnswlib-dev); the
// only file of the project that is not C, behind a header that is.
#include "testbed/nearest.h"

#include <hnswlib/hnswlib.h>

#include <algorithm>
#include <memory>
#include <new>

namespace {

enum { LINKS = 16, LOOK_BUILDING = 100, LOOK_LEAST = 64 };

struct index {
    std::unique_ptr<hnswlib::SpaceInterface<float>> space;
    std::unique_ptr<hnswlib::HierarchicalNSW<float>> graph;
};

void *begin(uint64_t dimensions, uint64_t most, bool euclid, uint64_t seed)
try {
    auto made = std::make_unique<index>();
    if (euclid)
        made->space = std::make_unique<hnswlib::L2Space>(dimensions);
    else
        made->space = std::make_unique<hnswlib::InnerProductSpace>(dimensions);
    made->graph = std::make_unique<hnswlib::HierarchicalNSW<float>>(
        made->space.get(), std::max<uint64_t>(most, 1), LINKS, LOOK_BUILDING, seed);
    made->graph->setEf(LOOK_LEAST);
    return made.release();
} catch (const std::exception &) {
    return nullptr;
}

bool put(void *self, uint64_t row, const float *numbers)
try {
    static_cast<index *>(self)->graph->addPoint(numbers, row);
    return true;
} catch (const std::exception &) {
    return false; // full
}

uint64_t find(void *self, const float *numbers, uint64_t count, uint64_t *rows)
try {
    auto *graph = static_cast<index *>(self)->graph.get();
    // Looked at are as many as are asked for, but at least setEf's: more are asked for than wanted.
    auto near = graph->searchKnn(numbers, std::max<uint64_t>(count, LOOK_LEAST));
    while (near.size() > count)
        near.pop(); // the farthest first
    uint64_t found = 0;
    for (; !near.empty(); near.pop())
        rows[found++] = near.top().second;
    return found;
} catch (const std::exception &) {
    return 0;
}

void end(void *self)
{
    delete static_cast<index *>(self);
}

} // namespace

extern "C" const struct nearest_kind *nearest_hnsw(void)
{
    static const struct nearest_kind kind = {"hnsw", begin, put, find, end};
    return &kind;
}
