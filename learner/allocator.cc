// The learner's allocator settings, read by jemalloc before main.
//
// Pages once used are kept: LibTorch's large temporaries would otherwise go back to the kernel and be faulted in again
// at every step. What is kept must then be good for any smaller request: by default jemalloc leaves extents alone that
// are more than 64 times too large, and since none of them is ever given back, memory would grow with the bytes
// received (with TLS, whose pieces are small, by 0.4 GB per GB).
extern "C" {
const char* malloc_conf = "dirty_decay_ms:-1,muzzy_decay_ms:-1,lg_extent_max_active_fit:63";
}
