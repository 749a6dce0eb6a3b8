#include "common/threads/named_thread.h"

#include <pthread.h>

#include <utility>

namespace troupe {

NamedThread::NamedThread(const std::string& name, std::function<void()> body)
    : thread_([name = name.substr(0, 15), body = std::move(body)] {
        pthread_setname_np(pthread_self(), name.c_str());
        body();
      }) {}

NamedThread& NamedThread::operator=(NamedThread&& other) {
  if (this != &other) {
    Join();
    thread_ = std::move(other.thread_);
  }
  return *this;
}

NamedThread::~NamedThread() { Join(); }

void NamedThread::Join() {
  if (thread_.joinable()) thread_.join();
}

}  // namespace troupe
