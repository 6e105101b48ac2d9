// Text from outside cannot leave the place where a page puts it.
#include "vaeguard/reports/html.h"

#include <gtest/gtest.h>

namespace vaeguard::reports {
namespace {

TEST(Html, EscapesEverythingThatCouldEndTextOrAnAttribute) {
  EXPECT_EQ(escape_html("<b a=\"1\" b='2'> & ∞"), "&lt;b a=&quot;1&quot; b=&#39;2&#39;&gt; &amp; ∞");
}

TEST(Html, JsonCannotCloseItsScriptElement) {
  EXPECT_EQ(json_for_script(R"({"a":"</script><!--"})"), R"({"a":"\u003c/script>\u003c!--"})");
}

TEST(Html, CodeCannotCloseItsScriptElementInAnyCase) {
  EXPECT_EQ(code_for_script("a = '</ScRipt>'; b < c / d"), "a = '<\\/ScRipt>'; b < c / d");
}

TEST(Html, PngDataUriIsPaddedBase64) {
  EXPECT_EQ(png_data_uri("Man"), "data:image/png;base64,TWFu");
  EXPECT_EQ(png_data_uri("Ma"), "data:image/png;base64,TWE=");
  EXPECT_EQ(png_data_uri(""), "data:image/png;base64,");
}

TEST(Html, SafeNamesCannotLeaveTheirFolder) {
  EXPECT_EQ(safe_name("mean/mean"), "mean-mean");
  EXPECT_EQ(safe_name("encoder_skl-linf-0.1"), "encoder_skl-linf-0.1");
  EXPECT_EQ(safe_name("a b\"<"), "a-b--");
}

}  // namespace
}  // namespace vaeguard::reports
