#include "actor_worker/environments/traffic/sumo/xml_reader.h"

#include <expat.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

constexpr int64_t kPieceBytes = 64 << 10;

}  // namespace

struct XmlReader::Handlers {
  static void Start(void* reader_pointer, const char* name, const char** attributes) {
    auto* const reader = static_cast<XmlReader*>(reader_pointer);
    if (++reader->depth_ > kMaxXmlDepth) {
      return Stop(reader, absl::StrCat("<", name, "> is nested more than ", kMaxXmlDepth, " deep"));
    }
    Event& event = reader->events_.emplace_back();
    event.name = name;
    for (; *attributes != nullptr; attributes += 2) event.attributes.emplace_back(attributes[0], attributes[1]);
  }
  static void End(void* reader_pointer, const char* name) {
    auto* const reader = static_cast<XmlReader*>(reader_pointer);
    --reader->depth_;
    reader->events_.push_back({.is_end = true, .name = name, .attributes = {}});
  }
  static void Entity(void* reader_pointer, const char* name, int, const char*, int, const char*, const char*,
                     const char*, const char*) {
    Stop(static_cast<XmlReader*>(reader_pointer), absl::StrCat("declares the entity ", name, ", expected none"));
  }
  static void Stop(XmlReader* reader, absl::string_view reason) {
    if (reader->status_.ok()) reader->Fail(reason);
    XML_StopParser(reader->parser_, XML_FALSE);
  }
};

XmlReader::XmlReader(const std::string& path, int64_t max_bytes)
    : file_name_(path), max_bytes_(max_bytes), file_(gzopen(path.c_str(), "rbe")) {
  if (file_ == nullptr) {
    status_ = absl::NotFoundError(absl::StrCat(path, ": cannot be read: ", std::strerror(errno)));
  }
  CreateParser();
}

XmlReader::XmlReader(absl::string_view text, std::string file_name)
    : file_name_(std::move(file_name)), max_bytes_(kMaxXmlBytes), rest_(text) {
  CreateParser();
}

XmlReader::~XmlReader() {
  XML_ParserFree(parser_);
  if (file_ != nullptr) gzclose_r(file_);
}

void XmlReader::CreateParser() {
  parser_ = XML_ParserCreate(nullptr);
  XML_SetUserData(parser_, this);
  XML_SetElementHandler(parser_, &Handlers::Start, &Handlers::End);
  XML_SetEntityDeclHandler(parser_, &Handlers::Entity);
}

void XmlReader::Fail(absl::string_view reason) {
  status_ = absl::InvalidArgumentError(absl::StrCat(file_name_, ":", XML_GetCurrentLineNumber(parser_), ": ", reason));
}

int64_t XmlReader::ReadSome(char* buffer, int64_t size) {
  if (file_ == nullptr) {
    const int64_t taken = std::min<int64_t>(size, rest_.size());
    rest_.copy(buffer, taken);
    rest_.remove_prefix(taken);
    return taken;
  }
  const int64_t got = gzread(file_, buffer, size);
  int error = Z_OK;
  const char* const words = gzerror(file_, &error);
  if (got < 0 || error == Z_BUF_ERROR) {
    Fail(error == Z_BUF_ERROR ? "the compressed file ends too early"
         : error == Z_ERRNO   ? std::strerror(errno)
                              : absl::StrCat("cannot be inflated: ", words));
    return -1;
  }
  return got;
}

void XmlReader::ParseSome() {
  char piece[kPieceBytes];
  const int64_t got = ReadSome(piece, kPieceBytes);
  if (got < 0) return;
  bytes_ += got;
  if (bytes_ > max_bytes_) return Fail(absl::StrCat("has more than ", max_bytes_, " bytes"));
  ended_ = got == 0;
  if (XML_Parse(parser_, piece, static_cast<int>(got), ended_ ? 1 : 0) != XML_STATUS_OK) {
    if (status_.ok()) Fail(XML_ErrorString(XML_GetErrorCode(parser_)));
  } else if (bytes_ - XML_GetCurrentByteIndex(parser_) > kMaxXmlTagBytes) {
    Fail(absl::StrCat("an element or comment of more than ", kMaxXmlTagBytes, " bytes"));
  }
}

bool XmlReader::Next() {
  while (events_.empty()) {
    if (!status_.ok() || ended_) return false;
    ParseSome();
  }
  present_ = std::move(events_.front());
  events_.pop_front();
  return true;
}

const std::string& XmlReader::Attribute(absl::string_view name) const {
  static const auto* const none = new std::string();
  for (const auto& [key, value] : present_.attributes) {
    if (key == name) return value;
  }
  return *none;
}

}  // namespace troupe
