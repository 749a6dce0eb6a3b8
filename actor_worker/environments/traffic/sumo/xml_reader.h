// A pull parser for the XML that SUMO's files use: elements and attributes, read by expat in small pieces, from plain
// files and gzipped ones alike (SUMO's own tools write both). Text, comments and processing instructions are skipped.
//
// The files are strangers': what is declared as an entity is refused (no entity bombs, nothing is fetched), and sizes
// and nesting are bounded as below, after inflating.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SUMO_XML_READER_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SUMO_XML_READER_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

struct XML_ParserStruct;
struct gzFile_s;

namespace troupe {

// A country's road network is some 5e8 bytes.
inline constexpr int64_t kMaxXmlBytes = int64_t{1} << 30;
inline constexpr int64_t kMaxXmlTagBytes = int64_t{4} << 20;  // one element's start with its attributes
inline constexpr int kMaxXmlDepth = 64;

//   XmlReader xml("net.xml.gz");
//   while (xml.Next()) if (!xml.is_end() && xml.name() == "edge") use(xml.Attribute("id"));
//   RETURN_IF_ERROR(xml.status());
// Not thread-safe.
class XmlReader {
 public:
  // The file `path`, plain or gzipped, whatever its name; of more than `max_bytes`, inflated, it is refused.
  explicit XmlReader(const std::string& path, int64_t max_bytes = kMaxXmlBytes);
  // `text`, which must outlive the reader, as if it stood in `file_name`.
  XmlReader(absl::string_view text, std::string file_name);
  ~XmlReader();
  XmlReader(const XmlReader&) = delete;
  XmlReader& operator=(const XmlReader&) = delete;

  // Moves to the next start or end of an element; an empty element has both. False at the end of the file or when the
  // file is malformed.
  bool Next();

  bool is_end() const { return present_.is_end; }
  const std::string& name() const { return present_.name; }
  // The value of an attribute of the current start, "" when there is none.
  const std::string& Attribute(absl::string_view name) const;

  // After Next gave false. NOT_FOUND naming a file that cannot be read; INVALID_ARGUMENT "FILE:LINE: …" for one that is
  // malformed, cut short or beyond a bound.
  absl::Status status() const { return status_; }

 private:
  struct Event {
    bool is_end = false;
    std::string name;
    std::vector<std::pair<std::string, std::string>> attributes;
  };
  struct Handlers;  // what expat calls

  void CreateParser();
  void ParseSome();
  // Bytes read into `buffer`; negative after an error, which is then the status.
  int64_t ReadSome(char* buffer, int64_t size);
  void Fail(absl::string_view reason);

  const std::string file_name_;
  const int64_t max_bytes_;
  absl::string_view rest_;  // of the text, where there is no file
  gzFile_s* file_ = nullptr;
  XML_ParserStruct* parser_ = nullptr;
  int64_t bytes_ = 0;
  int depth_ = 0;
  bool ended_ = false;
  std::deque<Event> events_;  // of the piece parsed last
  Event present_;
  absl::Status status_;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SUMO_XML_READER_H_
