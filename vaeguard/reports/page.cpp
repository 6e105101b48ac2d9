// Turns the parts of a report into HTML sections and puts them into the template.
#include "vaeguard/reports/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "vaeguard/base/error.h"
#include "vaeguard/base/file.h"
#include "vaeguard/reports/columns.h"
#include "vaeguard/reports/html.h"
#include "vaeguard/reports/image_grid.h"
#include "vaeguard/reports/page_pieces.h"
#include "vaeguard/reports/words.h"

namespace vaeguard::reports {
namespace {

// In this order: each uses the one before.
constexpr std::array kAssets = {"vega.min.js", "vega-lite.min.js", "vega-embed.min.js"};

std::string paragraph(std::string_view text) { return fmt::format("<p class=\"note\">{}</p>\n", escape_html(text)); }

/// Replaces each {{place}} of the template; places and their parts must match exactly.
std::string fill_template(std::string_view text, const std::map<std::string, std::string>& parts) {
  std::string page;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t open = text.find("{{", at);
    page += text.substr(at, open - at);
    if (open == std::string_view::npos) {
      break;
    }
    const std::size_t close = text.find("}}", open);
    const std::string place(text.substr(open + 2, close - open - 2));
    const auto part = parts.find(place);
    if (close == std::string_view::npos || part == parts.end()) {
      failure("reports.page", "the template has a place '{}' that nothing fills", place);
    }
    page += part->second;
    at = close + 2;
  }
  return page;
}

std::string scrolling(const Table& table, const std::string& attributes = "") {
  return fmt::format("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{}\"{}>\n{}</div>\n",
                     escape_html(table.caption), attributes, to_html(table));
}

std::string facts(const RunRecords& records) {
  std::set<std::string> datasets, models, attackers, defences;
  std::int64_t references = 0;
  for (const auto& measurement : records.measurements) {
    datasets.insert(measurement.dataset);
    models.insert(model_words(measurement.model));
    if (measurement.attack != "clean") {
      attackers.insert(measurement.attacker);
    }
    if (measurement.defence != "none") {
      defences.insert(defence_words(measurement.defence));
    }
    // Those of the model itself have test images for their n.
    if (measurement.kind != measures::CellKind::model && measurement.kind != measures::CellKind::inception) {
      references = std::max(references, measurement.n);
    }
  }
  if (records.measurements.empty()) {
    return paragraph("This run has no measurements yet.");
  }
  std::string html = "<dl class=\"facts\">";
  const auto add = [&](std::string_view term, const std::string& text) {
    if (!text.empty()) {
      html += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>", term, escape_html(text));
    }
  };
  add("Data", fmt::format("{}", fmt::join(datasets, ", ")));
  add("Model", fmt::format("{}", fmt::join(models, ", ")));
  add("Reference images", count_words(static_cast<double>(references)));
  add("Attacker", fmt::format("{}", fmt::join(attackers, ", ")));
  add("Defences", fmt::format("{}", fmt::join(defences, ", ")));
  return html + "</dl>\n";
}

std::string radio_group(const std::string& legend, const std::string& name, const std::vector<std::string>& values,
                        const std::string& chosen, std::string (*words)(std::string_view)) {
  std::string html = fmt::format("<fieldset><legend>{}:</legend>", legend);
  for (const std::string& value : values) {
    html += fmt::format("<label><input type=\"radio\" name=\"{}\" value=\"{}\"{}>{}</label>", name, escape_html(value),
                        value == chosen ? " checked" : "", escape_html(words(value)));
  }
  return html + "</fieldset>";
}

std::string protocol_control(const PageContent& content) {
  std::vector<std::string> aggregations, restarts;
  const auto add = [](std::vector<std::string>& values, const std::string& value) {
    if (std::ranges::find(values, value) == values.end()) {
      values.push_back(value);
    }
  };
  for (const auto& [protocol, table] : content.summaries) {
    const std::size_t slash = std::min(protocol.find('/'), protocol.size());
    add(aggregations, protocol.substr(0, slash));
    add(restarts, slash < protocol.size() ? protocol.substr(slash + 1) : "");
  }
  return "<form class=\"protocol needs-script\" autocomplete=\"off\">" +
         radio_group(number_column("estimate").title, "aggregation", aggregations, aggregations.front(),
                     aggregation_words) +
         radio_group(number_column("restarts").title, "restarts", restarts, restarts.front(), restarts_words) +
         "</form>\n";
}

std::string summary_section(const PageContent& content) {
  std::string html;
  if (content.summaries.empty()) {
    html += paragraph("Nothing has been measured yet. Run the plan again: it finishes what is missing.");
  } else {
    html +=
        "<p>Each number is a mean over reference images with its 95 % interval. Arrows in the column heads point to "
        "the better "
        "side. A bold number marked ▲ is better than the undefended one of the same attack, one marked ▼ worse, by "
        "intervals that do not overlap.</p>\n";
    html += protocol_control(content);
    for (std::size_t i = 0; i < content.summaries.size(); ++i) {
      const auto& [protocol, table] = content.summaries[i];
      html += scrolling(table, fmt::format(" data-protocol=\"{}\"{}", escape_html(protocol), i == 0 ? "" : " hidden"));
    }
    html += "<p class=\"note\" id=\"protocol-missing\" hidden>This combination was not measured.</p>\n";
  }
  if (content.paper) {
    html += "<aside class=\"aside-table\">\n" + scrolling(*content.paper);
    html +=
        "<p class=\"note\">Compare its MS-SSIM with the encoder attack and its accuracies with the classifier attack, "
        "both with one draw and the mean over restarts, which is how the paper counts. Its adversarial accuracy is our "
        "agreement, its clean accuracy our label accuracy.</p>\n</aside>\n";
  }
  for (const std::optional<Table>& table : {content.attacks, content.smallest}) {
    html += table ? scrolling(*table) : "";
  }
  return html;
}

std::string gallery_figure(const std::string& title, const Gallery& gallery, bool open) {
  std::string html = fmt::format("<details class=\"gallery\"{}>\n<summary>{}</summary>\n<figure>\n",
                                 open ? " open" : "", escape_html(title));
  bool any_defended = false;
  for (const GalleryRow& row : gallery.rows) {
    const bool defended = row.label.starts_with("Defended");
    const bool starts = row.label == "Attacked" || (defended && !any_defended);
    any_defended = any_defended || defended;
    const PngImage picture = image_grid({row.images}, gallery.shape, 1, 2);
    const bool derived = row.label.starts_with("its ");
    const std::string alternative = fmt::format("{}: {} images in a row", row.label, row.images.rows());
    html += fmt::format(
        "<div class=\"strip{}\"><span class=\"label{}\">{}</span><img style=\"--pixels:{}\" width=\"{}\" height=\"{}\" "
        "alt=\"{}\" src=\"{}\"></div>\n",
        starts ? " start" : "", derived ? " derived" : "", escape_html(row.label), picture.width, picture.width,
        picture.height, escape_html(alternative), png_data_uri(encode_png(picture, "")));
  }
  return html + fmt::format("<figcaption>{}</figcaption>\n</figure>\n</details>\n", escape_html(gallery.choice));
}

// Of many galleries the first are open, the others open on demand.
std::string galleries_section(const PageContent& content) {
  constexpr std::size_t kOpen = 6;
  std::size_t shown = 0;
  std::string html;
  for (const auto& [title, gallery] : content.galleries) {
    if (!gallery.rows.empty()) {
      html += gallery_figure(title, gallery, shown++ < kOpen);
    }
  }
  return html.empty() ? paragraph("No arrays were kept, so there are no pictures.") : html;
}

std::string chart_figures(const std::vector<Chart>& charts, std::string_view if_none) {
  if (charts.empty()) {
    return paragraph(if_none);
  }
  std::string html;
  std::string group;
  bool open = false;
  for (const Chart& chart : charts) {
    if (!open || chart.group != group) {
      html += open ? "</div>\n" : "";
      html += chart.group.empty() ? "" : fmt::format("<h3 class=\"chart-group\">{}</h3>\n", escape_html(chart.group));
      html += "<div class=\"charts\">\n";
      group = chart.group;
      open = true;
    }
    html += fmt::format(
        "<figure><h3>{}</h3><div class=\"chart\" role=\"img\" aria-label=\"{}\" data-spec=\"{}\"><p "
        "class=\"fallback\">{}</p></div><script type=\"application/json\" id=\"{}\">{}</script>",
        escape_html(chart.title), escape_html(chart.description), escape_html(chart.id), escape_html(chart.description),
        escape_html(chart.id), json_for_script(chart.spec));
    html += chart.note.empty() ? "</figure>\n"
                               : fmt::format("<figcaption>{}</figcaption></figure>\n", escape_html(chart.note));
  }
  return html + "</div>\n";
}

/// A section that only some runs have, with its link in the menu.
struct Section {
  std::string id;
  std::string title;
  std::string body = {};  // empty: no section and no link

  [[nodiscard]] std::string html() const {
    return body.empty() ? ""
                        : fmt::format(
                              "<section id=\"{0}\" aria-labelledby=\"{0}-title\">\n<h2 id=\"{0}-title\">{1}"
                              "</h2>\n{2}</section>\n",
                              id, title, body);
  }
  [[nodiscard]] std::string link() const {
    return body.empty() ? "" : fmt::format("<li><a href=\"#{}\">{}</a></li>\n", id, title);
  }
};

// Only models with two latents have a map.
Section map_section(const std::string& charts) {
  Section section{"map", "Latent space"};
  if (!charts.empty()) {
    section.body =
        "<p>Dots are the codes that the encoder gives clean images, coloured by class. A red line shows how an "
        "attack moves the code of a reference, a purple one how the defence moves it afterwards. A defence has worked "
        "if its diamond lies on the orange circle, or at least among the dots of its class.</p>\n" +
        charts;
  }
  return section;
}

Section distortion_section(const std::optional<Table>& table, const std::string& charts) {
  Section section{"distortion", "Distortion"};
  if (table) {
    section.body =
        paragraph(metric_words("remaining_distance").explanation) +
        "<p>If attacks are cheap, the curve falls at once; a model that resists stays near the diagonal, on which an "
        "image must become the target to be taken for it. What an output attack leaves at the end is what the model "
        "cannot reconstruct of the target.</p>\n" +
        charts + scrolling(*table);
  }
  return section;
}

std::string glossary(const RunRecords& records) {
  std::set<std::string> attacks, norms, defences, found;
  for (const auto& measurement : records.measurements) {
    attacks.insert(measurement.attack);
    norms.insert(measurement.norm);
    defences.insert(measurement.defence);
    found.insert(measurement.metric);
  }
  for (const auto& item : records.items) {
    found.insert(item.metric);
  }
  std::string html;
  const auto add_list = [&](std::string_view title, const std::vector<std::pair<std::string, std::string>>& entries) {
    std::string list;
    for (const auto& [term, text] : entries) {
      if (!text.empty()) {
        list += fmt::format("<dt>{}</dt><dd>{}</dd>\n", escape_html(term), escape_html(text));
      }
    }
    html += list.empty() ? "" : fmt::format("<h3>{}</h3>\n<dl class=\"glossary\">\n{}</dl>\n", title, list);
  };
  std::vector<std::pair<std::string, std::string>> entries;
  for (const std::string& metric : known_metrics()) {
    if (found.contains(metric)) {
      entries.emplace_back(metric_words(metric).title, metric_words(metric).explanation);
    }
  }
  add_list("Metrics", entries);
  entries.clear();
  for (const std::string& attack : attacks) {
    entries.emplace_back(attack_words(attack), attack_explanation(attack));
  }
  add_list("Attacks", entries);
  entries.clear();
  for (const std::string& norm : norms) {
    entries.emplace_back(norm_words(norm), norm_explanation(norm));
  }
  add_list("Norms", entries);
  entries.clear();
  for (const std::string& defence : defences) {
    entries.emplace_back(defence_words(defence), defence_explanation(defence));
  }
  add_list("Defences", entries);
  const auto of_column = [](std::string_view name) {
    const TableColumn column = number_column(name);
    return std::pair(column.title, column.explanation);
  };
  add_list("Counting",
           {of_column("radius"),
            of_column("estimate"),
            of_column("restarts"),
            {"95 % interval",
             "For means Student's t over references, since restarts of one image are not independent; for proportions "
             "Wilson's, so that 0 of 50 does not look certain."},
            of_column("gradients"),
            of_column("n")});
  return html;
}

/// Leaves of nested JSON as ("a.b.c", value).
void flatten(const nlohmann::json& value, const std::string& name,
             std::vector<std::pair<std::string, std::string>>& leaves) {
  if (value.is_object() && !value.empty()) {
    for (const auto& [key, child] : value.items()) {
      flatten(child, name.empty() ? key : name + "." + key, leaves);
    }
    return;
  }
  leaves.emplace_back(name, value.is_string() ? value.get<std::string>()
                                              : value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

std::string environment(const std::string& text) {
  if (text.empty()) {
    return paragraph("No environment was recorded.");
  }
  const nlohmann::json parsed = nlohmann::json::parse(text, nullptr, false);
  if (!parsed.is_object() || parsed.empty()) {
    return fmt::format("<pre><code>{}</code></pre>\n", escape_html(text));
  }
  std::vector<std::pair<std::string, std::string>> leaves;
  flatten(parsed, "", leaves);
  std::string html = "<div class=\"scroll\"><table class=\"environment\"><tbody>\n";
  for (const auto& [name, value] : leaves) {
    html += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n", escape_html(name), escape_html(value));
  }
  return html + "</tbody></table></div>\n";
}

/// The scripts of the charts, or nothing where one is missing.
std::string chart_scripts(const std::filesystem::path& folder) {
  std::string html;
  for (const char* asset : kAssets) {
    if (!std::filesystem::is_regular_file(folder / asset)) {
      return "";
    }
    html += fmt::format("<script>{}</script>\n", code_for_script(read_file(folder / asset)));
  }
  return html;
}

}  // namespace

std::string render_page(const RunRecords& records, const PageContent& content,
                        const std::filesystem::path& assets_folder) {
  const std::string drawing = chart_scripts(assets_folder);
  std::string note;
  if (drawing.empty()) {
    note = fmt::format(
        "<p class=\"note\">Charts are given in words only, because {} were not found when this page was made. Get them "
        "with <code>tools/get-data</code> and make the page again with <code>vaeguard report</code>.</p>\n",
        fmt::join(kAssets, ", "));
  } else {
    note =
        "<noscript><p class=\"note\">Charts are given in words only: drawing them needs JavaScript.</p></noscript>\n";
  }
  const auto charts = [&](const std::vector<Chart>& list, std::string_view if_none) {
    return (list.empty() ? "" : note) + chart_figures(list, if_none);
  };
  const auto charts_if_any = [&](const std::vector<Chart>& list) { return list.empty() ? "" : charts(list, ""); };
  const Section map = map_section(charts_if_any(content.map_charts));
  const Section distortion = distortion_section(content.distortion, charts_if_any(content.distortion_charts));
  const std::string plan = records.plan_text.empty()
                               ? paragraph("No plan was recorded.")
                               : fmt::format("<pre><code>{}</code></pre>\n", escape_html(records.plan_text));
  return fill_template(
      kPageTemplate,
      {{"title", escape_html(records.name)},
       {"style", std::string(kPageStyle)},
       {"facts", facts(records)},
       {"summary", summary_section(content)},
       {"galleries", galleries_section(content)},
       {"map_link", map.link()},
       {"map", map.html()},
       {"distortion_link", distortion.link()},
       {"distortion", distortion.html()},
       {"ratio_charts", charts(content.ratio_charts, "Posterior ratios of single images were not recorded.")},
       {"effort_charts", charts(content.effort_charts, "No curves were recorded.")},
       {"chain_charts", charts(content.chain_charts, "No chains were run.")},
       {"chain_table", content.chain_table ? scrolling(*content.chain_table) : ""},
       {"model", content.model ? scrolling(*content.model) : paragraph("The model itself was not measured.")},
       {"glossary", glossary(records)},
       {"plan", plan},
       {"environment", environment(records.environment_json)},
       {"scripts", drawing + fmt::format("<script>\n{}</script>", code_for_script(kPageScript))}});
}

}  // namespace vaeguard::reports
