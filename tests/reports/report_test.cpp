// The report as a whole: files written, text escaped, gaps told, pictures embedded.
#include "vaeguard/reports/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/expect_misuse.h"
#include "tests/reports/made_up_records.h"
#include "vaeguard/base/file.h"
#include "vaeguard/base/npz.h"
#include "vaeguard/reports/gallery.h"

namespace vaeguard::reports {
namespace {

using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

class Report : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(testing::TempDir()) / ("vaeguard-report-" + std::string(test->name()));
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "arrays");
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string page(const RunRecords& run) {
    write_report(run, folder_, folder_ / "assets");
    return read_file(folder_ / "report.html");
  }

  /// Arrays of a cell: 3 references of 1 x 2 x 8 pixels, labels 2, 0, 2, under the first `kept` of 2 restarts.
  void write_arrays(const MadeUpCell& cell, std::int64_t kept = 2) {
    const auto images = [](std::int64_t rows, float first, float step) {
      NpzArray array{{rows, 1, 2, 8}, std::vector<float>()};
      for (std::int64_t i = 0; i < rows * 16; ++i) {
        std::get<std::vector<float>>(array.values).push_back(first + step * static_cast<float>(i / 16));
      }
      return array;
    };
    write_npz(folder_ / "arrays" / "references.npz", {{"x_ref", images(3, 0.0F, 0.1F)},
                                                      {"rec_ref", images(3, 0.3F, 0.0F)},
                                                      {"label", {{3}, std::vector<std::int64_t>{2, 0, 2}}},
                                                      {"index", {{3}, std::vector<std::int64_t>{7, 8, 9}}}});
    fs::create_directories(folder_ / "arrays" / "attacks");
    write_npz(folder_ / "arrays" / "attacks" / fmt::format("{}-linf-{}.npz", cell.attack, cell.radius),
              {{"x_adv", images(6, 0.0F, 0.01F)}, {"rec_adv", images(6, 0.4F, 0.0F)}});
    std::vector<std::int64_t> reference;
    std::vector<std::int64_t> restart;
    for (std::int64_t row = 0; row < 3 * kept; ++row) {
      reference.push_back(row / kept);
      restart.push_back(row % kept);
    }
    write_npz(folder_ / "arrays" / (cell.name() + ".npz"), {{"rec_defended", images(3 * kept, 0.5F, 0.1F)},
                                                            {"reference", {{3 * kept}, reference}},
                                                            {"restart", {{3 * kept}, restart}}});
  }

  fs::path folder_;
};

TEST_F(Report, WritesPageTablesAndFigures) {
  RunRecords run = made_up_run();
  run.arrays_folder = folder_ / "arrays";
  write_arrays({.defence = "none"});
  write_arrays({.defence = "hmc"});
  const std::string html = page(run);
  EXPECT_THAT(html, HasSubstr("<title>made up</title>"));
  EXPECT_THAT(html, HasSubstr("0.88</span> <span class=\"interval\">[0.86, 0.90]</span>"));
  EXPECT_THAT(html, HasSubstr("alt=\"Defended: HMC: 3 images in a row\" src=\"data:image/png;base64,"));
  EXPECT_THAT(html, HasSubstr("<h3>Norms</h3>\n<dl class=\"glossary\">\n<dt>L∞</dt><dd>Largest change of a pixel"));
  EXPECT_THAT(html, HasSubstr("machine.cores"));
  EXPECT_THAT(html, HasSubstr("seed = 1"));
  EXPECT_THAT(html, Not(HasSubstr("{{")));
  for (const char* file :
       {"tables/summary-mean-mean.md", "tables/summary-draw-mean.tex", "tables/summary-mean-worst.csv",
        "tables/chains.csv", "figures/gallery-encoder_skl-linf-0.1.png"}) {
    EXPECT_TRUE(fs::is_regular_file(folder_ / file)) << file;
  }
}

TEST_F(Report, LoadsNothingFromTheNetwork) {
  const std::string html = page(made_up_run());
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
  EXPECT_THAT(html, Not(HasSubstr("http://")));
  EXPECT_THAT(html, Not(HasSubstr("https://")));
}

TEST_F(Report, EscapesTextFromRecordsEverywhere) {
  RunRecords run = made_up_run();
  const std::string hostile = "<img src=x onerror=alert(1)>";
  run.name = hostile;
  run.plan_text = "</code>" + hostile;
  run.environment_json = "{\"" + hostile + "\": \"" + hostile + "\"}";
  for (auto& measurement : run.measurements) {
    measurement.defence = measurement.defence == "hmc" ? hostile : measurement.defence;
    measurement.model = hostile;
    measurement.estimate = measurement.estimate == "draw" ? hostile + "\"" : measurement.estimate;
    measurement.restarts = measurement.restarts == "worst" ? hostile : measurement.restarts;
    measurement.metric = measurement.metric == "agreement" ? hostile : measurement.metric;
  }
  EXPECT_THAT(page(run), Not(HasSubstr("<img src=x")));
}

TEST_F(Report, OfAnEmptyRunSaysSo) {
  RunRecords run;
  run.name = "nothing yet";
  const std::string html = page(run);
  EXPECT_THAT(html, HasSubstr("Nothing has been measured yet"));
  EXPECT_THAT(html, HasSubstr("there are no pictures"));
  EXPECT_THAT(html, HasSubstr("No curves were recorded"));
  EXPECT_THAT(html, HasSubstr("No plan was recorded"));
}

TEST_F(Report, WithoutScriptsTellsWhatTheChartsWouldShowAndHowToGetThem) {
  const std::string html = page(made_up_run());
  EXPECT_THAT(html, HasSubstr("tools/get-data"));
  EXPECT_THAT(html, HasSubstr("Medians: None 109.500, HMC 9.500."));
}

TEST_F(Report, InlinesScriptsInTheirOrderWithoutLettingThemEndEarly) {
  fs::create_directories(folder_ / "assets");
  write_file_atomically(folder_ / "assets/vega.min.js", "one('</script>')");
  write_file_atomically(folder_ / "assets/vega-lite.min.js", "two()");
  write_file_atomically(folder_ / "assets/vega-embed.min.js", "three()");
  const std::string html = page(made_up_run());
  const auto first = html.find("<script>one('<\\/script>')</script>");
  ASSERT_NE(first, std::string::npos);
  EXPECT_LT(first, html.find("<script>two()</script>"));
  EXPECT_LT(html.find("<script>two()</script>"), html.find("<script>three()</script>"));
  EXPECT_THAT(html, Not(HasSubstr("tools/get-data")));
}

TEST_F(Report, OnlyTheFirstTableIsShownWithoutJavaScript) {
  const std::string html = page(made_up_run());
  EXPECT_THAT(html, HasSubstr("data-protocol=\"mean/mean\">"));
  EXPECT_THAT(html, HasSubstr("data-protocol=\"draw/mean\" hidden>"));
  EXPECT_THAT(html, HasSubstr("name=\"restarts\" value=\"worst\""));
}

TEST_F(Report, AnEnvironmentThatIsNotJsonIsShownAsItIs) {
  RunRecords run = made_up_run();
  run.environment_json = "{broken <";
  EXPECT_THAT(page(run), HasSubstr("<pre><code>{broken &lt;</code></pre>"));
}

TEST_F(Report, GalleryTakesTheFirstRestartOfOneReferenceOfEachClassInTurn) {
  RunRecords run = made_up_run();
  run.arrays_folder = folder_ / "arrays";
  write_arrays({.defence = "none"});
  const auto all = scenarios(run);
  const Gallery two = gallery(run, all.back(), 2);
  ASSERT_EQ(two.rows.size(), 4U);  // no defended arrays were kept
  EXPECT_EQ(two.shape, (ImageShape{1, 2, 8}));
  EXPECT_EQ(two.rows[0].label, "Reference");
  EXPECT_FLOAT_EQ(two.rows[0].images(0, 0), 0.1F);   // label 0: the second reference
  EXPECT_FLOAT_EQ(two.rows[0].images(1, 0), 0.0F);   // label 2: the first one
  EXPECT_FLOAT_EQ(two.rows[2].images(0, 0), 0.02F);  // the first restart of the second reference
  EXPECT_EQ(gallery(run, all.back(), 12).rows[0].images.rows(), 3);
  EXPECT_EQ(two.choice, "2 of 3 references, one of each class in turn, first restart of each.");
  EXPECT_TRUE(gallery(run, all.front(), 12).rows.empty());
}

TEST_F(Report, GalleryFindsTheSameReferencesAmongFewerRestarts) {
  RunRecords run = made_up_run();
  run.arrays_folder = folder_ / "arrays";
  write_arrays({.defence = "none"});    // three references of two restarts
  write_arrays({.defence = "hmc"}, 1);  // the first of them alone
  const Gallery found = gallery(run, scenarios(run).back(), 3);
  ASSERT_EQ(found.rows.size(), 5U);
  for (std::int64_t column = 0; column < 3; ++column) {
    // Reference r is 0.1 r; the defence, which has one row of each, left 0.5 + 0.1 r.
    EXPECT_FLOAT_EQ(found.rows[4].images(column, 0), found.rows[0].images(column, 0) + 0.5F);
    EXPECT_FLOAT_EQ(found.rows[2].images(column, 0), found.rows[0].images(column, 0) / 5.0F);  // row 2 r of the attack
  }
}

TEST_F(Report, GalleryOfImagesWithoutClassesIsEvenlySpaced) {
  RunRecords run = made_up_run();
  run.arrays_folder = folder_ / "arrays";
  write_arrays({.defence = "none"});
  NpzArrays references = read_npz(run.arrays_folder / "references.npz");
  references.erase("label");
  write_npz(run.arrays_folder / "references.npz", references);
  EXPECT_EQ(gallery(run, scenarios(run).back(), 2).choice, "2 of 3 references, evenly spaced, first restart of each.");
}

TEST_F(Report, ArraysThatDoNotBelongTogetherAreNamed) {
  RunRecords run = made_up_run();
  run.arrays_folder = folder_ / "arrays";
  write_arrays({.defence = "none"});
  write_npz(run.arrays_folder / "references.npz", {{"x_ref", {{1, 1, 2, 8}, std::vector<float>(16)}}});
  expect_misuse([&] { (void)gallery(run, scenarios(run).back(), 2); }, {"references.npz", "row 1"});
}

TEST_F(Report, OfManyGalleriesTheFirstSixAreOpen) {
  RunRecords run = made_up_run();
  run.arrays_folder = folder_ / "arrays";
  for (const double radius : {0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08}) {
    const MadeUpCell cell{.radius = radius};
    run.measurements.push_back(made_up(cell, "mean/mean", "agreement", 0.5));
    write_arrays(cell);
  }
  const std::string html = page(run);
  const auto count = [&](std::string_view text) {
    int found = 0;
    for (std::size_t at = html.find(text); at != std::string::npos; at = html.find(text, at + 1)) {
      ++found;
    }
    return found;
  };
  EXPECT_EQ(count("<details class=\"gallery\""), 8);
  EXPECT_EQ(count("<details class=\"gallery\" open>"), 6);
}

TEST_F(Report, OfVeryManyGalleriesEachHasFewColumns) {
  RunRecords run = made_up_run();
  run.arrays_folder = folder_ / "arrays";
  for (int i = 1; i <= 400; ++i) {
    const MadeUpCell cell{.radius = 0.001 * i};
    run.measurements.push_back(made_up(cell, "mean/mean", "agreement", 0.5));
    write_arrays(cell);
  }
  const std::string html = page(run);
  EXPECT_THAT(html, HasSubstr("2 of 3 references, one of each class in turn"));
  EXPECT_THAT(html, Not(HasSubstr("3 of 3 references")));
}

TEST_F(Report, ModelsWithTwoLatentsHaveASectionWithTheirMap) {
  RunRecords run = made_up_run();
  EXPECT_THAT(page(run), Not(HasSubstr("id=\"map\"")));
  run.arrays_folder = folder_ / "arrays";
  const NpzArray codes{{1, 2}, std::vector<float>{0.0F, 1.0F}};
  const NpzArray number{{1}, std::vector<std::int64_t>{3}};
  write_npz(run.arrays_folder / "latent_map.npz", {{"z", codes}, {"label", number}});
  const NpzArray first{{1}, std::vector<std::int64_t>{0}};
  fs::create_directories(run.arrays_folder / "attacks");
  write_npz(run.arrays_folder / "references.npz",
            {{"x_ref", {{1, 1, 1, 1}, std::vector<float>{0.0F}}}, {"z_ref", codes}, {"index", number}});
  write_npz(run.arrays_folder / "attacks" / "encoder_skl-linf-0.1.npz",
            {{"x_adv", {{1, 1, 1, 1}, std::vector<float>{0.0F}}}, {"z_adv", codes}});
  write_npz(run.arrays_folder / "encoder_skl-linf-0.1-hmc.npz",
            {{"z_defended", codes}, {"reference", first}, {"restart", first}});
  const std::string html = page(run);
  EXPECT_THAT(html, HasSubstr("<section id=\"map\""));
  EXPECT_THAT(html, HasSubstr("<a href=\"#map\">Latent space</a>"));
  EXPECT_THAT(html, HasSubstr("id=\"map-encoder_skl-linf-0.1-hmc\""));
}

TEST_F(Report, IsTheSameWhenWrittenTwice) {
  RunRecords run = made_up_run();
  run.arrays_folder = folder_ / "arrays";
  write_arrays({.defence = "hmc"});
  EXPECT_EQ(page(run), page(run));
}

}  // namespace
}  // namespace vaeguard::reports
