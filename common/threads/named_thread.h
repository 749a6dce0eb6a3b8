// A thread with a name (seen in top and gdb) that is joined by its owner.
#ifndef TROUPE_COMMON_THREADS_NAMED_THREAD_H_
#define TROUPE_COMMON_THREADS_NAMED_THREAD_H_

#include <functional>
#include <string>
#include <thread>

namespace troupe {

// Joins on destruction. The name is cut to 15 characters, the kernel's limit.
class NamedThread {
 public:
  NamedThread() = default;
  NamedThread(const std::string& name, std::function<void()> body);
  NamedThread(NamedThread&&) = default;
  NamedThread& operator=(NamedThread&& other);
  ~NamedThread();

  void Join();

 private:
  std::thread thread_;
};

}  // namespace troupe

#endif  // TROUPE_COMMON_THREADS_NAMED_THREAD_H_
