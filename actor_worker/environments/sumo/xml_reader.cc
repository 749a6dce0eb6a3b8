#include "actor_worker/environments/sumo/xml_reader.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

bool IsNameCharacter(char c) {
  return absl::ascii_isalnum(c) || c == '_' || c == '-' || c == '.' || c == ':' || static_cast<unsigned char>(c) >= 128;
}

void AppendUtf8(uint32_t code, std::string& out) {
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xc0 | code >> 6));
    out.push_back(static_cast<char>(0x80 | (code & 0x3f)));
  } else {
    if (code < 0x10000) {
      out.push_back(static_cast<char>(0xe0 | code >> 12));
    } else {
      out.push_back(static_cast<char>(0xf0 | code >> 18));
      out.push_back(static_cast<char>(0x80 | (code >> 12 & 0x3f)));
    }
    out.push_back(static_cast<char>(0x80 | (code >> 6 & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3f)));
  }
}

}  // namespace

bool XmlReader::Fail(absl::string_view reason) {
  const auto line = 1 + std::count(text_.begin(), text_.begin() + std::min(at_, text_.size()), '\n');
  status_ = absl::InvalidArgumentError(absl::StrCat(file_name_, ":", line, ": ", reason));
  return false;
}

bool XmlReader::SkipPast(absl::string_view mark) {
  const size_t found = text_.find(mark, at_);
  if (found == absl::string_view::npos) return Fail(absl::StrCat("expected ", mark, " before the end of the file"));
  at_ = found + mark.size();
  return true;
}

void XmlReader::SkipSpace() {
  while (at_ < text_.size() && absl::ascii_isspace(text_[at_])) ++at_;
}

absl::string_view XmlReader::ReadName() {
  const size_t start = at_;
  while (at_ < text_.size() && IsNameCharacter(text_[at_])) ++at_;
  return text_.substr(start, at_ - start);
}

bool XmlReader::Next() {
  if (!status_.ok()) return false;
  if (empty_element_) {
    empty_element_ = false;
    is_end_ = true;
    attributes_.clear();
    return true;
  }
  while (true) {
    at_ = std::min(text_.find('<', at_), text_.size());
    if (at_ == text_.size()) {
      return open_.empty() ? false : Fail(absl::StrCat("the file ends inside <", open_.back(), ">"));
    }
    const absl::string_view rest = text_.substr(at_);
    if (absl::StartsWith(rest, "<!--")) {
      if (!SkipPast("-->")) return false;
    } else if (absl::StartsWith(rest, "<![CDATA[")) {
      if (!SkipPast("]]>")) return false;
    } else if (absl::StartsWith(rest, "<?")) {
      if (!SkipPast("?>")) return false;
    } else if (absl::StartsWith(rest, "<!")) {
      if (!SkipPast(">")) return false;
    } else {
      break;
    }
  }
  attributes_.clear();
  is_end_ = absl::StartsWith(text_.substr(at_), "</");
  at_ += is_end_ ? 2 : 1;
  name_ = ReadName();
  if (name_.empty()) return Fail("expected the name of an element after <");
  if (!is_end_) return ReadAttributes();
  if (open_.empty() || open_.back() != name_) return Fail(absl::StrCat("</", name_, "> closes nothing that is open"));
  open_.pop_back();
  return SkipPast(">");
}

bool XmlReader::ReadAttributes() {
  while (true) {
    SkipSpace();
    const absl::string_view rest = text_.substr(at_);
    if (absl::StartsWith(rest, "/>")) {
      at_ += 2;
      empty_element_ = true;
      return true;
    }
    if (absl::StartsWith(rest, ">")) {
      at_ += 1;
      open_.push_back(name_);
      return true;
    }
    const absl::string_view attribute = ReadName();
    SkipSpace();
    if (attribute.empty() || at_ >= text_.size() || text_[at_] != '=') {
      return Fail(absl::StrCat("expected attributes or the end of <", name_, ">"));
    }
    ++at_;
    SkipSpace();
    const char quote = at_ < text_.size() ? text_[at_] : ' ';
    const size_t end = quote == '"' || quote == '\'' ? text_.find(quote, at_ + 1) : absl::string_view::npos;
    if (end == absl::string_view::npos) return Fail(absl::StrCat("expected a quoted value of attribute ", attribute));
    attributes_.emplace_back(attribute, "");
    if (!Unescape(text_.substr(at_ + 1, end - at_ - 1), attributes_.back().second)) return false;
    at_ = end + 1;
  }
}

bool XmlReader::Unescape(absl::string_view raw, std::string& value) {
  static constexpr std::pair<absl::string_view, char> kEntities[] = {
      {"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
  for (size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '&') {
      value.push_back(raw[i]);
      continue;
    }
    const size_t end = raw.find(';', i);
    if (end == absl::string_view::npos) return Fail("an & without ;");
    const absl::string_view entity = raw.substr(i + 1, end - i - 1);
    uint32_t code = 0;
    const auto* const named =
        std::find_if(std::begin(kEntities), std::end(kEntities), [&](const auto& e) { return e.first == entity; });
    if (named != std::end(kEntities)) {
      value.push_back(named->second);
    } else if (absl::StartsWith(entity, "#x") &&
               absl::SimpleHexAtoi(entity.substr(2), &code)) {
      AppendUtf8(code, value);
    } else if (absl::StartsWith(entity, "#") &&
               absl::SimpleAtoi(entity.substr(1), &code)) {
      AppendUtf8(code, value);
    } else {
      return Fail(absl::StrCat("unknown entity &", entity, ";"));
    }
    i = end;
  }
  return true;
}

const std::string& XmlReader::Attribute(absl::string_view name) const {
  static const auto* const none = new std::string();
  for (const auto& [key, value] : attributes_) {
    if (key == name) return value;
  }
  return *none;
}

absl::Status ReadTextFile(const std::string& path, std::string& text) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat(path, ": cannot be read"));
  std::ostringstream content;
  content << file.rdbuf();
  text = std::move(content).str();
  if (text.starts_with("\x1f\x8b")) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": is compressed, expected plain XML (gunzip it first)"));
  }
  return absl::OkStatus();
}

}  // namespace troupe
