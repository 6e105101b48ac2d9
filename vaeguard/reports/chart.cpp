// Builds Vega-Lite specifications; binning happens here, so that a page holds counts instead of thousands of values.
#include "vaeguard/reports/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "vaeguard/reports/histogram.h"
#include "vaeguard/reports/words.h"

namespace vaeguard::reports {
namespace {

using Json = nlohmann::json;

constexpr int kHeight = 230;
constexpr int kLegendColumns = 3;
constexpr int kLegendRow = 16;  // pixels
constexpr std::string_view kOneDraw = "one draw";
constexpr std::string_view kMeanOfDraws = "mean over draws";

template <typename Labelled>
Json colour_encoding(const std::vector<Labelled>& series) {
  Json domain = Json::array();
  Json range = Json::array();
  for (const auto& one : series) {
    if (std::ranges::find(domain, Json(one.label)) == domain.end()) {  // a defence may have several curves
      domain.push_back(one.label);
      range.push_back(one.colour);
    }
  }
  return {{"field", "series"},
          {"type", "nominal"},
          {"scale", {{"domain", domain}, {"range", range}}},
          {"legend", {{"title", nullptr}, {"orient", "top"}, {"columns", kLegendColumns}}}};
}

// Series of one colour differ by the shape of their points.
Json shape_encoding(const Json& colours) {
  constexpr std::array kShapes = {"circle", "square", "triangle-up", "diamond", "cross"};
  const Json& range = colours["scale"]["range"];
  Json shapes = Json::array();
  for (std::size_t i = 0; i < range.size(); ++i) {
    const auto earlier = std::count(range.begin(), range.begin() + static_cast<std::ptrdiff_t>(i), range[i]);
    shapes.push_back(kShapes[static_cast<std::size_t>(earlier) % kShapes.size()]);
  }
  Json encoding = colours;
  encoding["scale"]["range"] = shapes;
  return encoding;
}

Json frame(const std::string& description) {
  return {{"description", description},
          {"width", "container"},
          {"height", kHeight},
          {"background", "transparent"},
          {"autosize", {{"type", "fit"}, {"contains", "padding"}}},
          {"view", {{"stroke", nullptr}}}};
}

// The central 98 % of the map and every code of the paths: a few outliers would leave no room for all others.
std::pair<double, double> range_of_map(const std::vector<MapDot>& map, const std::vector<CodePath>& paths,
                                       double PlanePoint::*coordinate) {
  constexpr double kTail = 0.01;
  std::vector<double> values;
  for (const MapDot& dot : map) {
    values.push_back(dot.at.*coordinate);
  }
  double low = quantile(values, kTail);
  double high = quantile(values, 1.0 - kTail);
  for (const CodePath& path : paths) {
    for (const PlanePoint& code : {path.reference, path.attacked, path.defended}) {
      low = std::min(low, code.*coordinate);
      high = std::max(high, code.*coordinate);
    }
  }
  return {low, high};
}

std::string dump(const Json& spec) {
  // Labels come from records and may hold bytes that are not UTF-8: they are replaced, not refused.
  return spec.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string series_colour(std::size_t i) {
  constexpr std::array kColours = {"#4c7fb8", "#e8862e", "#3f9c6b", "#b1599c",
                                   "#c9a227", "#5aa7b5", "#c6544d", "#8a7a6a"};
  return kColours[i % kColours.size()];
}

Chart histogram_chart(const std::string& id, const std::string& title, const std::vector<Series>& series,
                      const HistogramOptions& options) {
  std::vector<double> all;
  for (const Series& one : series) {
    all.insert(all.end(), one.values.begin(), one.values.end());
  }
  const Bins bins = shared_bins(all, options.bins, options.logarithmic);
  const auto unusable = std::ranges::count_if(
      all, [&](double value) { return !std::isfinite(value) || (options.logarithmic && value <= 0.0); });

  Chart chart{.id = id, .title = title};
  Json values = Json::array();
  std::string medians;
  for (const Series& one : series) {
    std::vector<double> usable = one.values;
    std::erase_if(usable, [&](double value) { return options.logarithmic && value <= 0.0; });
    const std::vector<std::int64_t> counts = count_in_bins(usable, bins);
    for (std::size_t i = 0; i < counts.size(); ++i) {
      if (counts[i] > 0) {
        values.push_back(
            {{"low", bins.edges[i]}, {"high", bins.edges[i + 1]}, {"count", counts[i]}, {"series", one.label}});
      }
    }
    medians += fmt::format("{}{} {}", medians.empty() ? "" : ", ", one.label, number_words(quantile(usable, 0.5), 3));
  }
  chart.description = fmt::format("Histogram of {}: {}. Medians: {}.", options.x_title, title, medians);
  if (bins.clipped) {
    chart.note += "The central 99 % is drawn; values beyond are counted in the outermost bars. ";
  }
  if (unusable > 0) {
    chart.note += fmt::format("{} values that cannot be drawn (NaN, infinite{}) are left out.",
                              count_words(static_cast<double>(unusable)), options.logarithmic ? ", not positive" : "");
  }
  Json spec = frame(chart.description);
  spec["data"] = {{"values", values}};
  spec["mark"] = {{"type", "bar"}, {"opacity", 0.62}, {"binSpacing", 0.5}, {"tooltip", true}};
  Json x = {{"field", "low"}, {"type", "quantitative"}, {"title", options.x_title}};
  if (options.logarithmic) {
    x["scale"] = {{"type", "log"}, {"nice", false}};
    x["axis"] = {{"tickCount", 5}, {"format", "~g"}};
  } else {
    x["bin"] = {{"binned", true}};
    x["scale"] = {{"zero", false}};
    x["axis"] = {{"tickCount", 6}};
  }
  spec["encoding"] = {
      {"x", x},
      {"x2", {{"field", "high"}}},
      {"y", {{"field", "count"}, {"type", "quantitative"}, {"stack", nullptr}, {"title", options.y_title}}},
      {"color", colour_encoding(series)}};
  if (options.logarithmic) {
    spec["encoding"]["y2"] = {{"datum", 0}};  // bars not binned by Vega-Lite have no baseline of their own
  }
  chart.spec = dump(spec);
  return chart;
}

Chart curve_chart(const std::string& id, const std::string& title, const std::vector<Curve>& curves,
                  const CurveOptions& options) {
  Chart chart{.id = id, .title = title};
  const bool any_draw = std::ranges::any_of(curves, &Curve::dashed);  // otherwise the legend need not name the latents
  Json points = Json::array();
  Json levels = Json::array();
  std::string ends;
  for (const Curve& curve : curves) {
    for (const CurveSample& sample : curve.samples) {
      if (!std::isfinite(sample.y)) {
        continue;
      }
      Json point = {{"y", sample.y}, {"series", curve.label}, {"latents", curve.dashed ? kOneDraw : kMeanOfDraws}};
      if (options.logarithmic && sample.x <= 0.0) {
        levels.push_back(point);
        continue;
      }
      point["x"] = sample.x;
      if (std::isfinite(sample.low) && std::isfinite(sample.high)) {
        point["low"] = sample.low;
        point["high"] = sample.high;
        point["alone"] = curve.samples.size() == 1;
      }
      points.push_back(point);
    }
    if (!curve.samples.empty()) {
      const std::string latents = any_draw ? fmt::format(", {}", curve.dashed ? kOneDraw : kMeanOfDraws) : "";
      ends += fmt::format("{}{}{}, ends at {} after {}", ends.empty() ? "" : "; ", curve.label, latents,
                          number_words(curve.samples.back().y, 3), count_words(curve.samples.back().x));
    }
  }
  chart.description = fmt::format("{} against {}: {}. {}.", options.y_title, options.x_title, title, ends);
  if (any_draw) {
    chart.note = "Solid: mean over draws; dashed: one draw. ";
  }
  if (!levels.empty()) {
    chart.note += "Dotted: before the first gradient.";
  }
  const Json x = {{"field", "x"},
                  {"type", "quantitative"},
                  {"scale", {{"type", options.logarithmic ? "log" : "linear"}, {"nice", false}}},
                  {"axis", {{"tickCount", 5}, {"format", "~s"}}},
                  {"title", options.x_title}};
  const Json scale = {{"zero", false}};
  const Json y = {{"field", "y"}, {"type", "quantitative"}, {"scale", scale}, {"title", options.y_title}};
  const Json colour = colour_encoding(curves);
  const Json dash = {{"field", "latents"},
                     {"type", "nominal"},
                     {"scale", {{"domain", {kMeanOfDraws, kOneDraw}}, {"range", {{1, 0}, {5, 3}}}}},
                     {"legend", nullptr}};
  const Json by_latents = {{"field", "latents"}};
  Json spec = frame(chart.description);
  // The legend takes its rows from the chart's height.
  const int rows = (static_cast<int>(colour["scale"]["domain"].size()) + kLegendColumns - 1) / kLegendColumns;
  spec["height"] = kHeight + kLegendRow * std::max(0, rows - 1);
  spec["layer"] = {
      {{"data", {{"values", points}}},
       {"mark", {{"type", "area"}, {"opacity", 0.18}}},
       {"encoding",
        {{"x", x},
         {"y", {{"field", "low"}, {"type", "quantitative"}, {"scale", scale}, {"title", options.y_title}}},
         {"y2", {{"field", "high"}}},
         {"detail", by_latents},
         {"color", colour}}}},
      {{"data", {{"values", points}}},
       {"mark", {{"type", "line"}, {"strokeWidth", 1.8}, {"point", {{"size", 26}}}, {"tooltip", true}}},
       {"encoding", {{"x", x}, {"y", y}, {"strokeDash", dash}, {"color", colour}, {"shape", shape_encoding(colour)}}}},
      {{"data", {{"values", levels}}},
       {"mark", {{"type", "rule"}, {"strokeDash", {1.5, 3}}, {"opacity", 0.8}}},
       {"encoding", {{"y", y}, {"color", colour}}}},
      {{"data", {{"values", points}}},
       {"transform", {{{"filter", "datum.alone"}}}},
       {"mark", {{"type", "rule"}, {"opacity", 0.5}}},
       {"encoding",
        {{"x", x},
         {"y", {{"field", "low"}, {"type", "quantitative"}, {"scale", scale}, {"title", options.y_title}}},
         {"y2", {{"field", "high"}}},
         {"color", colour}}}}};
  if (!any_draw) {
    spec["layer"][1]["encoding"].erase("strokeDash");
  }
  chart.spec = dump(spec);
  return chart;
}

Chart map_chart(const std::string& id, const std::string& title, const std::vector<MapDot>& map,
                const std::vector<CodePath>& paths) {
  constexpr double kDigits = 1e3;  // the page keeps three decimals
  const auto rounded = [](double value) { return std::round(value * kDigits) / kDigits; };
  Json dots = Json::array();
  for (const MapDot& dot : map) {
    dots.push_back({{"x", rounded(dot.at.x)}, {"y", rounded(dot.at.y)}, {"class", dot.label}});
  }
  Json codes = Json::array();
  Json moves = Json::array();
  const auto move = [&](const PlanePoint& from, const PlanePoint& to, std::string_view code) {
    moves.push_back(
        {{"x", rounded(from.x)}, {"y", rounded(from.y)}, {"u", rounded(to.x)}, {"v", rounded(to.y)}, {"code", code}});
  };
  const auto mark = [&](const PlanePoint& at, std::string_view code) {
    codes.push_back({{"x", rounded(at.x)}, {"y", rounded(at.y)}, {"code", code}});
  };
  for (const CodePath& path : paths) {
    move(path.reference, path.attacked, "attacked");
    move(path.attacked, path.defended, "defended");
    mark(path.reference, "reference");
    mark(path.attacked, "attacked");
    mark(path.defended, "defended");
  }
  const auto axis = [&](const char* field, const char* words, double PlanePoint::*coordinate) {
    const auto [low, high] = range_of_map(map, paths, coordinate);
    return Json{{"field", field},
                {"type", "quantitative"},
                {"title", words},
                {"scale", {{"zero", false}, {"nice", false}, {"domain", {rounded(low), rounded(high)}}}}};
  };
  const Json x = axis("x", "first latent", &PlanePoint::x);
  const Json y = axis("y", "second latent", &PlanePoint::y);
  const Json names = {"reference", "attacked", "defended"};
  const Json legend = {{"title", nullptr}, {"orient", "bottom"}};
  const Json colour = {{"field", "code"},
                       {"type", "nominal"},
                       {"scale", {{"domain", names}, {"range", {"#e8862e", "#d63a2f", "#7d4fc4"}}}},
                       {"legend", legend}};
  const Json shape = {{"field", "code"},
                      {"type", "nominal"},
                      {"scale", {{"domain", names}, {"range", {"circle", "cross", "diamond"}}}},
                      {"legend", legend}};
  Chart chart{.id = id, .title = title};
  chart.description =
      fmt::format("{}: the codes of {} images but for the outermost, and of {} references, attacked and defended.",
                  title, map.size(), paths.size());
  Json spec = frame(chart.description);
  spec["height"] = 2 * kHeight;
  spec["resolve"] = {{"scale", {{"color", "independent"}, {"shape", "independent"}}}};
  spec["layer"] = {
      {{"data", {{"values", dots}}},
       {"mark", {{"type", "circle"}, {"size", 12}, {"opacity", 0.35}, {"clip", true}}},
       {"encoding",
        {{"x", x},
         {"y", y},
         {"color",
          {{"field", "class"},
           {"type", "nominal"},
           {"scale", {{"scheme", "tableau10"}}},
           {"legend", {{"orient", "top"}, {"columns", 10}}}}}}}},
      {{"layer",
        {{{"data", {{"values", moves}}},
          {"mark", {{"type", "rule"}, {"opacity", 0.6}}},
          {"encoding", {{"x", x}, {"y", y}, {"x2", {{"field", "u"}}}, {"y2", {{"field", "v"}}}, {"color", colour}}}},
         {{"data", {{"values", codes}}},
          {"mark", {{"type", "point"}, {"filled", true}, {"size", 90}, {"stroke", "white"}, {"strokeWidth", 0.8}}},
          {"encoding", {{"x", x}, {"y", y}, {"color", colour}, {"shape", shape}}}}}}}};
  chart.spec = dump(spec);
  return chart;
}

}  // namespace vaeguard::reports
