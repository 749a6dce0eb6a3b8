#include "common/base/shown_text.h"

#include <cstdint>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace troupe {
namespace {

struct Character {
  size_t bytes = 1;
  uint32_t code = 0;
  bool well_formed = false;
};

// The first character of `text`, which is not empty; by the Unicode standard, table 3-7: neither overlong forms nor
// surrogates are well formed.
Character First(absl::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return {1, lead, true};
  const size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < bytes) return {};
  uint32_t code = lead & (0x7F >> bytes);
  for (size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3F);
  }
  const uint32_t lowest = bytes == 4 ? 0x10000 : bytes == 3 ? 0x800 : 0x80;
  if (code < lowest || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return {};
  return {bytes, code, true};
}

bool MustBeEscaped(uint32_t code) {
  if (code < 0x20 || (code >= 0x7F && code < 0xA0)) return true;
  if (code == 0x061C || code == 0x200E || code == 0x200F || code == 0x2028 || code == 0x2029) return true;
  return (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

std::string Shown(absl::string_view bytes, const Character& character) {
  if (!character.well_formed) return absl::StrFormat("\\x%02X", static_cast<uint8_t>(bytes[0]));
  switch (character.code) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      if (!MustBeEscaped(character.code)) return std::string(bytes);
      return character.code < 0x80 ? absl::StrFormat("\\x%02X", character.code)
                                   : absl::StrFormat("\\u{%04X}", character.code);
  }
}

std::string Show(absl::string_view text, size_t most_bytes, bool lines) {
  std::string shown;
  while (!text.empty()) {
    const Character character = First(text);
    const absl::string_view bytes = text.substr(0, character.bytes);
    const bool stays = lines && (bytes == "\n" || bytes == "\t");
    const std::string next = stays ? std::string(bytes) : Shown(bytes, character);
    if (shown.size() + next.size() > most_bytes) {
      absl::StrAppend(&shown, " … (", text.size(), " bytes more)");
      return shown;
    }
    shown += next;
    text.remove_prefix(character.bytes);
  }
  return shown;
}

}  // namespace

std::string ShownText(absl::string_view text, size_t most_bytes) { return Show(text, most_bytes, /*lines=*/false); }

std::string ShownLines(absl::string_view text) {
  return Show(text, std::numeric_limits<size_t>::max(), /*lines=*/true);
}

}  // namespace troupe
