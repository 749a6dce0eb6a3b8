// A pull parser for the XML that SUMO's files use: elements and attributes. Text, comments, processing instructions and
// document types are skipped; entities in attribute values are replaced.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_SUMO_XML_READER_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_SUMO_XML_READER_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace troupe {

//   XmlReader xml(text, "net.xml");
//   while (xml.Next()) if (!xml.is_end() && xml.name() == "edge") use(xml.Attribute("id"));
//   RETURN_IF_ERROR(xml.status());
// `text` must outlive the reader.
class XmlReader {
 public:
  XmlReader(absl::string_view text, std::string file_name) : text_(text), file_name_(std::move(file_name)) {}

  // Moves to the next start or end of an element; an empty element has both. False at the end of the file or when the
  // file is malformed.
  bool Next();

  bool is_end() const { return is_end_; }
  absl::string_view name() const { return name_; }
  // The value of an attribute of the current start, "" when there is none.
  const std::string& Attribute(absl::string_view name) const;

  // INVALID_ARGUMENT "FILE:LINE: …" when the file is malformed or ends inside an element.
  absl::Status status() const { return status_; }

 private:
  bool Fail(absl::string_view reason);
  bool SkipPast(absl::string_view mark);
  bool ReadAttributes();
  bool Unescape(absl::string_view raw, std::string& value);
  void SkipSpace();
  absl::string_view ReadName();

  const absl::string_view text_;
  const std::string file_name_;
  size_t at_ = 0;
  bool is_end_ = false;
  bool empty_element_ = false;
  absl::string_view name_;
  std::vector<absl::string_view> open_;
  std::vector<std::pair<absl::string_view, std::string>> attributes_;
  absl::Status status_;
};

// The whole file. Errors: NOT_FOUND naming it; INVALID_ARGUMENT for a compressed one.
absl::Status ReadTextFile(const std::string& path, std::string& text);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_SUMO_XML_READER_H_
