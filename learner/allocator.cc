// Settings of jemalloc, compiled in. LibTorch allocates and frees tens of megabytes in every minibatch; an allocator
// that gives freed pages back to the kernel spends a third of the update faulting them in again.
extern "C" {
const char* malloc_conf = "dirty_decay_ms:-1,muzzy_decay_ms:-1";
}
