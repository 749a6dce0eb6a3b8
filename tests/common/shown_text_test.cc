#include "common/base/shown_text.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

TEST(ShownTextTest, OrdinaryTextStaysAsItIs) {
  EXPECT_EQ(ShownText("no step for 30 s: C:\\sumo … 10 %"), "no step for 30 s: C:\\sumo … 10 %");
  EXPECT_EQ(ShownText("Grüße, 交通, 🚦"), "Grüße, 交通, 🚦");
  EXPECT_EQ(ShownText(""), "");
}

TEST(ShownTextTest, NeitherLinesNorOrdersToATerminalComeThrough) {
  EXPECT_EQ(ShownText("a\nworker-1 left\r\tb"), "a\\nworker-1 left\\r\\tb");
  EXPECT_EQ(ShownText("\x1b]0;title\x07\x1b[2J"), "\\x1B]0;title\\x07\\x1B[2J");
  EXPECT_EQ(ShownText(absl::string_view("\0\x7f", 2)), "\\x00\\x7F");
  EXPECT_EQ(ShownText("\xc2\x9b"
                      "2J"),
            "\\u{009B}2J");  // CSI as one character
  EXPECT_EQ(ShownText("\xe2\x80\xae"
                      "gpj.exe"),
            "\\u{202E}gpj.exe");  // right-to-left override
  EXPECT_EQ(ShownText("a\xe2\x80\xa8"
                      "b\xe2\x80\xa9"),
            "a\\u{2028}b\\u{2029}");  // line and paragraph separator
}

TEST(ShownTextTest, WhatIsNoUtf8IsShownByteByByte) {
  EXPECT_EQ(ShownText("\xff"
                      "a\x80"),
            "\\xFFa\\x80");
  EXPECT_EQ(ShownText("\xc0\x8a"), "\\xC0\\x8A");                    // newline in too many bytes
  EXPECT_EQ(ShownText("\xed\xa0\x80"), "\\xED\\xA0\\x80");           // half of a surrogate pair
  EXPECT_EQ(ShownText("\xf4\x90\x80\x80"), "\\xF4\\x90\\x80\\x80");  // beyond U+10FFFF
  EXPECT_EQ(ShownText("cut \xe2\x80"), "cut \\xE2\\x80");
}

TEST(ShownTextTest, ItIsBoundedBetweenCharactersAndSaysWhatIsMissing) {
  EXPECT_EQ(ShownText("abcdef", 6), "abcdef");
  EXPECT_EQ(ShownText("abcdefg", 6), "abcdef … (1 bytes more)");
  EXPECT_EQ(ShownText("aaüü", 5), "aaü … (2 bytes more)");
  EXPECT_EQ(ShownText("aaaaa\n\n", 6), "aaaaa … (2 bytes more)");
  EXPECT_LT(ShownText(std::string(1 << 20, '\n')).size(), kMostShownBytes + 64);
}

TEST(ShownTextTest, WhatWasShownOnceStays) {
  const std::string once = ShownText("a\n\x1b[31m\xff");
  EXPECT_EQ(ShownText(once), once);
}

TEST(ShownTextTest, OurOwnLinesStayLines) {
  EXPECT_EQ(ShownLines("group\treturn\n\x1b[2Jjunction\t1\n"), "group\treturn\n\\x1B[2Jjunction\t1\n");
  EXPECT_EQ(ShownLines(std::string(5000, 'x')).size(), 5000u);
}

}  // namespace
}  // namespace troupe
