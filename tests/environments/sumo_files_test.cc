// Reading SUMO's files and last words without SUMO.
#include <zlib.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "actor_worker/environments/traffic/sumo/sumo_configuration.h"
#include "actor_worker/environments/traffic/sumo/xml_reader.h"
#include "common/processes/limited_process.h"
#include "gtest/gtest.h"
#include "tests/common/temporary_folder.h"

namespace troupe {
namespace {

absl::Status ReadAll(XmlReader& xml) {
  while (xml.Next()) {
  }
  return xml.status();
}

void WriteGzip(const std::string& path, absl::string_view text) {
  gzFile file = gzopen(path.c_str(), "wb");
  ASSERT_NE(file, nullptr);
  ASSERT_EQ(gzwrite(file, text.data(), text.size()), text.size());
  ASSERT_EQ(gzclose(file), Z_OK);
}

TEST(XmlReader, ReadsElementsAttributesAndEntities) {
  XmlReader xml("<?xml version='1.0'?><!-- <not> --><a x = 'q\"' y=\"&lt;&amp;&#65;&#x20ac;\"><b/>text</a>", "f");
  ASSERT_TRUE(xml.Next());
  EXPECT_EQ(xml.name(), "a");
  EXPECT_EQ(xml.Attribute("x"), "q\"");
  EXPECT_EQ(xml.Attribute("y"), "<&A\xe2\x82\xac");
  EXPECT_EQ(xml.Attribute("z"), "");
  ASSERT_TRUE(xml.Next());
  EXPECT_EQ(xml.name(), "b");
  EXPECT_FALSE(xml.is_end());
  ASSERT_TRUE(xml.Next());
  EXPECT_TRUE(xml.is_end() && xml.name() == "b");
  ASSERT_TRUE(xml.Next());
  EXPECT_TRUE(xml.is_end() && xml.name() == "a");
  EXPECT_FALSE(xml.Next());
  EXPECT_TRUE(xml.status().ok()) << xml.status();
}

TEST(XmlReader, NamesFileAndLineOfWhatIsMalformed) {
  for (const char* text : {"<a>\n<b></a>", "<a>\n", "<a>\n<b x></b></a>", "<a>\n<b x='1</b></a>",
                           "<a>\n<b x='&no;'/></a>", "<a>\n< b/></a>", "<a>\n<!-- </a>"}) {
    XmlReader xml(text, "net.xml");
    while (xml.Next()) {
    }
    EXPECT_EQ(xml.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_EQ(xml.status().message().find("net.xml:2: "), 0u) << xml.status();
  }
}

TEST(XmlReader, ReadsPlainAndGzippedFilesAlike) {
  TemporaryFolder folder;
  std::string text = "<net>";
  for (int i = 0; i < 20000; ++i) text += absl::StrCat("<edge id='", i, "'/>\n");
  text += "</net>";
  std::ofstream(folder / "plain.xml") << text;
  WriteGzip(folder / "net.xml.gz", text);
  for (const char* name : {"plain.xml", "net.xml.gz"}) {
    XmlReader xml(folder / name);
    int edges = 0;
    while (xml.Next()) edges += !xml.is_end() && xml.Attribute("id") == absl::StrCat(edges);
    EXPECT_TRUE(xml.status().ok()) << xml.status();
    EXPECT_EQ(edges, 20000) << name;
  }
  XmlReader nothing(folder / "no.xml");
  EXPECT_EQ(ReadAll(nothing).code(), absl::StatusCode::kNotFound);
  EXPECT_NE(nothing.status().message().find("no.xml"), std::string::npos) << nothing.status();
}

TEST(XmlReader, RefusesADamagedAndACutGzippedFile) {
  TemporaryFolder folder;
  WriteGzip(folder / "whole.gz", absl::StrCat("<net>", std::string(100000, ' '), "<edge id='1'/></net>"));
  std::ifstream whole(folder / "whole.gz", std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(whole)), {});
  std::ofstream(folder / "cut.gz", std::ios::binary) << bytes.substr(0, bytes.size() - 12);
  XmlReader cut(folder / "cut.gz");
  EXPECT_EQ(ReadAll(cut).code(), absl::StatusCode::kInvalidArgument) << cut.status();
  bytes[bytes.size() - 6] ^= 1;  // of the checksum
  std::ofstream(folder / "damaged.gz", std::ios::binary) << bytes;
  XmlReader damaged(folder / "damaged.gz");
  EXPECT_EQ(ReadAll(damaged).code(), absl::StatusCode::kInvalidArgument) << damaged.status();
}

TEST(XmlReader, RefusesEntitiesDeepNestingAndWhatInflatesBeyondTheBound) {
  XmlReader bomb("<!DOCTYPE net [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]>\n<net x='&b;'/>", "net.xml");
  EXPECT_NE(ReadAll(bomb).message().find("declares the entity a"), std::string::npos) << bomb.status();
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += "<a>";
  XmlReader nested(deep, "net.xml");
  EXPECT_NE(ReadAll(nested).message().find("nested more than 64 deep"), std::string::npos) << nested.status();
  const std::string tag = absl::StrCat("<net x='", std::string(kMaxXmlTagBytes + (1 << 20), 'x'), "'/>");
  XmlReader long_tag(tag, "net.xml");
  EXPECT_NE(ReadAll(long_tag).message().find("more than"), std::string::npos) << long_tag.status();

  // Blanks deflate to a thousandth.
  TemporaryFolder folder;
  WriteGzip(folder / "bomb.xml.gz", absl::StrCat("<net>", std::string(2 << 20, ' '), "</net>"));
  EXPECT_LT(std::filesystem::file_size(folder / "bomb.xml.gz"), 10000);
  XmlReader inflated(folder / "bomb.xml.gz", /*max_bytes=*/1 << 20);
  EXPECT_NE(ReadAll(inflated).message().find("has more than 1048576 bytes"), std::string::npos) << inflated.status();
}

// A configuration in a file of its own, with a net-file.
absl::StatusOr<SumoConfiguration> Configure(absl::string_view options) {
  TemporaryFolder folder;
  const std::string path = folder / "x.sumocfg";
  std::ofstream(path) << "<configuration><net-file value='n.xml'/>" << options << "</configuration>";
  return ReadSumoConfiguration(path);
}

TEST(SumoConfiguration, TakesBackWhatItWritesAndRefusesByNameWhatWouldBreakTheDelays) {
  const auto harmless = Configure(
      "<begin value='25200'/><random value='true'/><scale v='1.2'/><step-length value='0.5'/>"
      "<max-depart-delay value='-1'/><mesosim value='false'/>");
  ASSERT_TRUE(harmless.ok()) << harmless.status();
  EXPECT_TRUE(harmless->overrides.empty()) << "random is everybody's, see FixedSumoArguments";

  const auto writing = Configure(
      "<output><tripinfo value='t.xml'/><fcd-output value='f.xml'/>"
      "<tripinfo-output value='t2.xml'/><log value='l'/><fcd-output.geo value='true'/></output>");
  ASSERT_TRUE(writing.ok()) << writing.status();
  EXPECT_EQ(writing->overrides, (std::vector<std::string>{"--tripinfo-output", "/dev/null", "--fcd-output", "/dev/null",
                                                          "--log", "/dev/null"}));

  for (const char* option : {"load-state value='s.xml'", "max-depart-delay value='60'", "mesosim value='true'",
                             "step-length value='0.3'", "step-length value='2'", "save-state.period value='100'"}) {
    const absl::Status status = Configure(absl::StrCat("<", option, "/>")).status();
    const std::string name(option, std::strchr(option, ' '));
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << option;
    EXPECT_NE(status.message().find("x.sumocfg"), std::string::npos) << status;
    EXPECT_NE(status.message().find(absl::StrCat("the option ", name, " is refused: ")), std::string::npos) << status;
  }
}

TEST(SumoConfiguration, OptionsThatTheEnvironmentSetsAreRefusedByName) {
  const auto check = [](const std::vector<std::string>& options) {
    return CheckSumoOptions(options, {"--tripinfo-output", "/dev/null"});
  };
  EXPECT_TRUE(check({"--scale", "1.5", "--begin=100", "--default.speeddev", "-1"}).ok());
  EXPECT_TRUE(check({"--summary-output", "mine.xml"}).ok());
  for (const std::vector<std::string>& options :
       std::vector<std::vector<std::string>>{{"--seed", "5"},
                                             {"--srand", "5"},
                                             {"--random"},
                                             {"-e", "10"},
                                             {"--end=10"},
                                             {"-n", "other.xml"},
                                             {"--remote-port", "1"},
                                             {"--time-to-teleport", "300"},
                                             {"--load-state", "s.xml"},
                                             {"--mesosim"},
                                             {"--tripinfo-output", "t.xml"},
                                             {"--scale", "2", "--threads", "4"}}) {
    const absl::Status status = check(options);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << options[0];
    EXPECT_EQ(status.message().find("environment.settings.sumo_options: -"), 0u) << status;
  }
}

TEST(LimitedProcess, TheErrorsOfAProgramAreItsLastWords) {
  const std::string noise(900, '.');
  EXPECT_EQ(LastWords(absl::StrCat("pj_obj_create: Cannot find proj.db\nError: On processing option '--scael':\n",
                                   " No option with the name 'scael' exists.\nQuitting (on error).\n"),
                      600),
            "Error: On processing option '--scael': No option with the name 'scael' exists. "
            "pj_obj_create: Cannot find proj.db Quitting (on error).");
  const std::string words = LastWords(absl::StrCat(noise, "\nError: no route\n", noise, "\nthe end"), 100);
  EXPECT_EQ(words.find("Error: no route ."), 0u) << words;
  EXPECT_EQ(words.substr(words.size() - 8), " the end");
  EXPECT_EQ(LastWords("", 100), "");
}

}  // namespace
}  // namespace troupe
