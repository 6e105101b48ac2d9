// One table in four languages: the same cells, each language's own escapes.
#include "vaeguard/reports/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vaeguard::reports {
namespace {

using testing::HasSubstr;
using testing::Not;

Table small_table() {
  Table table;
  table.caption = "A & B";
  table.columns = {{.title = "Attack", .key = "attack", .number = false, .heads_rows = true},
                   {.title = "Value", .key = "value", .has_interval = true}};
  table.rows = {{{.text = "Encoder", .raw = "encoder_skl"},
                 {.text = "0.88", .interval = "[0.86, 0.90]", .raw = "0.8812", .low = 0.86, .high = 0.9}},
                {{.text = "Encoder", .raw = "encoder_skl"}, {.text = "NaN", .raw = "nan"}},
                {{.text = "Noise", .raw = "noise"}, {.text = "–"}}};
  return table;
}

TEST(Table, HtmlMergesRepeatedHeadsAndEscapes) {
  Table table = small_table();
  table.rows[2][0].text = "<script>";
  const std::string html = to_html(table);
  EXPECT_THAT(html, HasSubstr("A &amp; B"));
  EXPECT_THAT(html, HasSubstr("rowspan=\"2\" class=\"words first\">Encoder<"));
  EXPECT_THAT(html, HasSubstr("&lt;script&gt;"));
  EXPECT_THAT(html, Not(HasSubstr("<script>")));
  EXPECT_THAT(html, HasSubstr("<tr class=\"group\"><th scope=\"row\" rowspan=\"1\""));
}

TEST(Table, HtmlMarksAreReadAloud) {
  Table table = small_table();
  table.rows[0][1].mark = Mark::better;
  table.rows[1][1].mark = Mark::worse;
  EXPECT_THAT(to_html(table), HasSubstr("aria-label=\"better than undefended\">▲"));
  EXPECT_THAT(to_html(table), HasSubstr("aria-label=\"worse than undefended\">▼"));
}

TEST(Table, HtmlCarriesNumbersInFullForSorting) {
  const std::string html = to_html(small_table());
  EXPECT_THAT(html, HasSubstr("<td class=\"number\" data-value=\"0.8812\">"));
  EXPECT_THAT(html, HasSubstr("<td class=\"number\"><span class=\"value\">–"));
}

TEST(Table, AHeadMergesOnlyInsideTheHeadBeforeIt) {
  Table table;
  table.columns = {{.title = "A", .heads_rows = true}, {.title = "B", .heads_rows = true}, {.title = "C"}};
  table.rows = {{{.text = "x"}, {.text = "1"}, {.text = "p"}}, {{.text = "y"}, {.text = "1"}, {.text = "q"}}};
  EXPECT_THAT(to_html(table), Not(HasSubstr("rowspan=\"2\"")));
}

TEST(Table, MarkdownHasARuleAndEscapedPipes) {
  Table table = small_table();
  table.rows[0][0].text = "a|b";
  table.rows[0][1].mark = Mark::better;
  EXPECT_EQ(to_markdown(table),
            "A & B\n\n"
            "| Attack | Value |\n"
            "| --- | ---: |\n"
            "| a\\|b | **0.88** \\[0.86, 0.90\\] |\n"
            "| Encoder | NaN |\n"
            "| Noise | – |\n");
}

TEST(Table, LatexEscapesItsSpecialCharacters) {
  Table table = small_table();
  table.rows[0][0].text = "50 % of_{x} \\ ~";
  const std::string latex = to_latex(table);
  EXPECT_THAT(latex, HasSubstr("\\caption{A \\& B}"));
  EXPECT_THAT(latex, HasSubstr("50 \\% of\\_\\{x\\} \\textbackslash{} \\~{} & 0.88 [0.86, 0.90] \\\\"));
  EXPECT_THAT(latex, HasSubstr("\\begin{tabular}{lr}"));
}

TEST(Table, CsvHasNamesOfRecordsAndFullPrecision) {
  Table table = small_table();
  table.rows[2][0].raw = "a,\"b\"";
  EXPECT_EQ(to_csv(table),
            "attack,value,value_low,value_high\n"
            "encoder_skl,0.8812,0.86,0.9\n"
            "encoder_skl,nan,,\n"
            "\"a,\"\"b\"\"\",,,\n");
}

TEST(Table, WithoutRowsIsStillATable) {
  Table table = small_table();
  table.rows.clear();
  EXPECT_THAT(to_html(table), HasSubstr("<tbody>\n</tbody>"));
  EXPECT_EQ(to_csv(table), "attack,value,value_low,value_high\n");
}

}  // namespace
}  // namespace vaeguard::reports
