// SQLite behind the records: schema, statements, transactions, and the CSV export.
#include "vaeguard/runs/store.h"

#include <sqlite3.h>

#include "vaeguard/base/error.h"

namespace vaeguard::runs {
namespace {

constexpr const char* kSchema = R"sql(
CREATE TABLE IF NOT EXISTS cells(cell TEXT PRIMARY KEY, digest TEXT);
CREATE TABLE IF NOT EXISTS places(cell TEXT PRIMARY KEY, place INTEGER);
CREATE TABLE IF NOT EXISTS measurements(cell TEXT, kind TEXT, dataset TEXT, model TEXT, attack TEXT, norm TEXT,
  radius REAL, attacker TEXT, defence TEXT, estimate TEXT, restarts TEXT, score TEXT, quantile TEXT, metric TEXT,
  value REAL, stderr REAL, n INTEGER, gradients REAL, seconds REAL);
CREATE TABLE IF NOT EXISTS items(cell TEXT, estimate TEXT, metric TEXT, reference INTEGER, restart INTEGER, value REAL);
CREATE TABLE IF NOT EXISTS curves(cell TEXT, estimate TEXT, metric TEXT, gradients REAL, value REAL, stderr REAL,
  n INTEGER);
CREATE TABLE IF NOT EXISTS notes(cell TEXT, sentence TEXT);
)sql";

// The rows of a table in the order of the plan.
std::string ordered(std::string_view table) {
  return fmt::format(
      "SELECT {0}.* FROM {0} LEFT JOIN places ON places.cell = {0}.cell ORDER BY places.place IS NULL, places.place, "
      "{0}.rowid",
      table);
}

// A prepared statement: bind in order, step, read columns in order.
class Statement {
 public:
  Statement(sqlite3* database, const std::string& sql) : database_(database) {
    check(sqlite3_prepare_v2(database, sql.c_str(), -1, &statement_, nullptr));
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(std::string_view text) {
    check(sqlite3_bind_text(statement_, ++bound_, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT));
    return *this;
  }
  Statement& bind(double value) {
    check(sqlite3_bind_double(statement_, ++bound_, value));
    return *this;
  }
  Statement& bind(std::int64_t value) {
    check(sqlite3_bind_int64(statement_, ++bound_, value));
    return *this;
  }
  bool step() {
    const int code = sqlite3_step(statement_);
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
      check(code);
    }
    column_ = 0;
    return code == SQLITE_ROW;
  }
  void run() {
    step();
    check(sqlite3_reset(statement_));
    bound_ = 0;
  }
  std::string text() {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column_++));
    return bytes == nullptr ? "" : bytes;
  }
  double number() {
    const int column = column_++;
    // SQLite stores NaN as NULL.
    return sqlite3_column_type(statement_, column) == SQLITE_NULL ? std::nan("")
                                                                  : sqlite3_column_double(statement_, column);
  }
  std::int64_t integer() { return sqlite3_column_int64(statement_, column_++); }

 private:
  void check(int code) const {
    if (code != SQLITE_OK) {
      failure("runs.store", "SQLite: {}", sqlite3_errmsg(database_));
    }
  }
  sqlite3* database_;
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
  int column_ = 0;
};

}  // namespace

struct Store::Database {
  sqlite3* handle = nullptr;
  ~Database() { sqlite3_close(handle); }
  void execute(const char* sql) const {
    if (sqlite3_exec(handle, sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
      failure("runs.store", "SQLite: {}", sqlite3_errmsg(handle));
    }
  }
};

Store::Store(const std::filesystem::path& file, Access access) : database_(std::make_unique<Database>()) {
  const int flags = access == Access::read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  if (sqlite3_open_v2(file.c_str(), &database_->handle, flags, nullptr) != SQLITE_OK) {
    misuse("runs.store", "{} must be the results.sqlite of a run: {}", file.string(),
           sqlite3_errmsg(database_->handle));
  }
  sqlite3_busy_timeout(database_->handle, 10000);
  try {
    if (access == Access::write) {
      database_->execute(kSchema);
    } else {
      Statement(database_->handle, "SELECT count(*) FROM cells").step();
    }
    // A database without these columns was written by another version.
    Statement(database_->handle, "SELECT cell, kind, estimate, restarts, score, quantile FROM measurements").step();
    Statement(database_->handle, "SELECT digest FROM cells").step();
  } catch (const Failure& error) {
    misuse("runs.store", "{} must be the results.sqlite of a run: {}", file.string(), error.what());
  }
}

Store::~Store() = default;
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;

bool Store::finished(std::string_view cell) const {
  Statement statement(database_->handle, "SELECT 1 FROM cells WHERE cell = ?");
  return statement.bind(cell).step();
}

bool Store::finished(std::string_view cell, std::string_view digest) const {
  Statement statement(database_->handle, "SELECT digest FROM cells WHERE cell = ?");
  if (!statement.bind(cell).step()) {
    return false;
  }
  if (const std::string before = statement.text(); before != digest) {
    misuse(
        "runs.store",
        "the records of {} were computed from something else than this call has: seed, data, weights, backend or its "
        "tables of the plan differ; choose another folder with --out",
        cell);
  }
  return true;
}

void Store::arrange(const std::vector<std::string>& cells) {
  transact([&](sqlite3* handle) {
    Statement(handle, "DELETE FROM places").run();
    Statement place(handle, "INSERT INTO places VALUES (?,?)");
    for (std::size_t i = 0; i < cells.size(); ++i) {
      place.bind(cells[i]).bind(static_cast<std::int64_t>(i)).run();
    }
  });
}

void Store::transact(const std::function<void(sqlite3*)>& work) {
  database_->execute("BEGIN IMMEDIATE");
  try {
    work(database_->handle);
    database_->execute("COMMIT");
  } catch (...) {
    sqlite3_exec(database_->handle, "ROLLBACK", nullptr, nullptr, nullptr);
    throw;
  }
}

void Store::write(std::string_view cell, std::string_view digest, const measures::CellRecords& records) {
  transact([&](sqlite3* handle) {
    for (const char* sql : {"DELETE FROM cells WHERE cell = ?", "DELETE FROM measurements WHERE cell = ?",
                            "DELETE FROM items WHERE cell = ?", "DELETE FROM curves WHERE cell = ?",
                            "DELETE FROM notes WHERE cell = ?"}) {
      Statement(handle, sql).bind(cell).run();
    }
    Statement(handle, "INSERT INTO cells VALUES (?,?)").bind(cell).bind(digest).run();
    Statement measurement(handle, "INSERT INTO measurements VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
    for (const measures::Measurement& m : records.measurements) {
      measurement.bind(m.cell).bind(name(m.kind)).bind(m.dataset).bind(m.model).bind(m.attack).bind(m.norm);
      measurement.bind(m.radius).bind(m.attacker).bind(m.defence).bind(m.estimate).bind(m.restarts).bind(m.score);
      measurement.bind(m.quantile).bind(m.metric).bind(m.value).bind(m.standard_error).bind(m.n).bind(m.gradients);
      measurement.bind(m.seconds).run();
    }
    Statement item(handle, "INSERT INTO items VALUES (?,?,?,?,?,?)");
    for (const measures::Item& i : records.items) {
      item.bind(i.cell).bind(i.estimate).bind(i.metric).bind(i.reference).bind(i.restart).bind(i.value).run();
    }
    Statement point(handle, "INSERT INTO curves VALUES (?,?,?,?,?,?,?)");
    for (const measures::CurvePoint& p : records.curves) {
      point.bind(p.cell).bind(p.estimate).bind(p.metric).bind(p.gradients).bind(p.value).bind(p.standard_error);
      point.bind(p.n).run();
    }
    Statement note(handle, "INSERT INTO notes VALUES (?,?)");
    for (const measures::Note& n : records.notes) {
      note.bind(n.cell).bind(n.sentence).run();
    }
  });
}

std::vector<measures::Item> Store::items(std::string_view cell, std::string_view estimate,
                                         std::string_view metric) const {
  Statement statement(database_->handle,
                      "SELECT reference, restart, value FROM items WHERE cell = ? AND estimate = ? AND metric = ? "
                      "ORDER BY rowid");
  statement.bind(cell).bind(estimate).bind(metric);
  std::vector<measures::Item> items;
  while (statement.step()) {
    measures::Item item{std::string(cell), std::string(estimate), std::string(metric), 0, 0, 0.0};
    item.reference = statement.integer();
    item.restart = statement.integer();
    item.value = statement.number();
    items.push_back(std::move(item));
  }
  return items;
}

measures::CellRecords Store::read() const {
  measures::CellRecords records;
  Statement measurement(database_->handle, ordered("measurements"));
  while (measurement.step()) {
    Statement& s = measurement;
    measures::Measurement m;
    m.cell = s.text(), m.kind = measures::cell_kind(s.text()), m.dataset = s.text(), m.model = s.text();
    m.attack = s.text(), m.norm = s.text(), m.radius = s.number(), m.attacker = s.text(), m.defence = s.text();
    m.estimate = s.text(), m.restarts = s.text(), m.score = s.text(), m.quantile = s.text(), m.metric = s.text();
    m.value = s.number(), m.standard_error = s.number(), m.n = s.integer(), m.gradients = s.number();
    m.seconds = s.number();
    records.measurements.push_back(std::move(m));
  }
  Statement item(database_->handle, ordered("items"));
  while (item.step()) {
    measures::Item i;
    i.cell = item.text(), i.estimate = item.text(), i.metric = item.text(), i.reference = item.integer();
    i.restart = item.integer(), i.value = item.number();
    records.items.push_back(std::move(i));
  }
  Statement point(database_->handle, ordered("curves"));
  while (point.step()) {
    measures::CurvePoint p;
    p.cell = point.text(), p.estimate = point.text(), p.metric = point.text(), p.gradients = point.number();
    p.value = point.number(), p.standard_error = point.number(), p.n = point.integer();
    records.curves.push_back(std::move(p));
  }
  Statement note(database_->handle, ordered("notes"));
  while (note.step()) {
    measures::Note n;
    n.cell = note.text(), n.sentence = note.text();
    records.notes.push_back(std::move(n));
  }
  return records;
}

std::string measurements_csv(const std::vector<measures::Measurement>& measurements) {
  std::string csv =
      "cell,kind,dataset,model,attack,norm,radius,attacker,defence,estimate,restarts,score,quantile,metric,value,"
      "stderr,"
      "n,gradients,seconds\n";
  for (const measures::Measurement& m : measurements) {
    // Names hold no commas or quotes (plans refuse them); {} prints the shortest text that reads back as the same
    // double.
    csv += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n", m.cell, name(m.kind), m.dataset,
                       m.model, m.attack, m.norm, m.radius, m.attacker, m.defence, m.estimate, m.restarts, m.score,
                       m.quantile, m.metric, m.value, m.standard_error, m.n, m.gradients, m.seconds);
  }
  return csv;
}

}  // namespace vaeguard::runs
