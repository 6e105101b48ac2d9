// Vega-Lite specifications of a report's charts: overlaid histograms, curves with bands, and maps of a latent plane.
#pragma once

#include <string>
#include <vector>

namespace vaeguard::reports {

/// A chart ready for the page. The colours of axes and text come from the page's style sheet, for light and dark.
struct Chart {
  std::string id = {};           // unique on the page
  std::string title = {};        // above the chart
  std::string group = {};        // consecutive charts of the same group share a heading; may be empty
  std::string description = {};  // text alternative, for screen readers
  std::string note = {};         // below the chart, may be empty
  std::string spec = {};         // Vega-Lite, JSON
};

/// Values drawn in one colour.
struct Series {
  std::string label = {};
  std::string colour = {};
  std::vector<double> values = {};
};

/// The colour of the i-th defence: blue first, then orange, as in the paper's figure 2.
std::string series_colour(std::size_t i);

struct HistogramOptions {
  std::string x_title = {};
  std::string y_title = {};
  bool logarithmic = false;
  std::int64_t bins = 40;
};

/// Histograms of the series over shared bins. Values that are not finite are left out, and the note says how many.
Chart histogram_chart(const std::string& id, const std::string& title, const std::vector<Series>& series,
                      const HistogramOptions& options);

struct CurveSample {
  double x = 0.0;
  double y = 0.0;
  double low = 0.0;  // band; NaN where unknown
  double high = 0.0;
};

struct Curve {
  std::string label = {};
  std::string colour = {};
  bool dashed = false;  // one draw rather than the mean over draws
  std::vector<CurveSample> samples = {};
};

struct CurveOptions {
  std::string x_title = {};
  std::string y_title = {};
  bool logarithmic = true;  // the x axis
};

/// Curves with bands. A sample at x <= 0, which a logarithmic axis cannot show, becomes a dotted horizontal line;
/// samples whose y is not finite are left out. A curve of one sample is a point with its interval.
Chart curve_chart(const std::string& id, const std::string& title, const std::vector<Curve>& curves,
                  const CurveOptions& options);

/// Where a code lies in a latent space of two dimensions.
struct PlanePoint {
  double x = 0.0;
  double y = 0.0;
};

/// One image's code before and after an attack and a defence.
struct CodePath {
  PlanePoint reference;
  PlanePoint attacked;
  PlanePoint defended;
};

/// A dot for the code of each image, coloured by its class.
struct MapDot {
  PlanePoint at;
  std::int64_t label = 0;
};

/// Paths over the encoder's map of the data, like the paper's figure 1. The outermost 1 % of dots on each side may be
/// cut off, codes of paths are not.
Chart map_chart(const std::string& id, const std::string& title, const std::vector<MapDot>& map,
                const std::vector<CodePath>& paths);

}  // namespace vaeguard::reports
