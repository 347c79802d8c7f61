package archtest

// Layer is how high a package stands. Imports point down.
type Layer int

// The layers, from the ground up.
const (
	Foundation Layer = iota + 1 // known to all
	Vocabulary                  // nouns of a domain, without work
	Engine                      // pure work and ports
	UseCase                     // what a service does
	Adapter                     // stores and other outside things behind a port
	Transport                   // protocols, and what all of them share
	Whole                       // wires everything
	Command                     // programs and tests of programs
)

var layerNames = map[Layer]string{
	Foundation: "foundation", Vocabulary: "vocabulary", Engine: "engine", UseCase: "use case",
	Adapter: "adapter", Transport: "transport", Whole: "whole", Command: "command",
}

// String returns the layer's name.
func (l Layer) String() string { return layerNames[l] }

// Room is a package's place in the house.
type Room struct {
	Path   string // below the module
	Layer  Layer
	Domain string // service it belongs to; empty for what is of none
}

// Rooms is the plan: every package of the module, in the order of the tree.
var Rooms = []Room{
	{"bench", Command, ""},
	{"blob", Engine, ""},
	{"blob/blobtest", Adapter, ""},
	{"blob/file", Adapter, ""},
	{"blob/s3", Adapter, ""},
	{"cmd/salus", Command, ""},
	{"convert", Vocabulary, "convert"},
	{"convert/ccda", Engine, "convert"},
	{"convert/collection", Adapter, "convert"},
	{"convert/engine", Engine, "convert"},
	{"convert/fhirjson", Engine, "convert"},
	{"convert/hl7v2", Engine, "convert"},
	{"convert/jsontext", Engine, "convert"},
	{"convert/liquid", Engine, "convert"},
	{"convert/templates", Engine, "convert"},
	{"demo", Engine, ""},
	{"dicom", Vocabulary, "dicom"},
	{"dicom/archive", UseCase, "dicom"},
	{"dicom/archive/archivetest", UseCase, "dicom"},
	{"dicom/client", Transport, "dicom"},
	{"dicom/dimse", Transport, "dicom"},
	{"dicom/gen", Command, "dicom"},
	{"dicom/gzipped", Engine, "dicom"},
	{"dicom/inbox", Transport, "dicom"},
	{"dicom/index", Engine, "dicom"},
	{"dicom/index/sqlindex", Adapter, "dicom"},
	{"dicom/jsonmodel", Engine, "dicom"},
	{"dicom/mirror", UseCase, "dicom"},
	{"dicom/part10", Engine, "dicom"},
	{"dicom/phantom", Engine, "dicom"},
	{"dicom/pixel", Engine, "dicom"},
	{"dicom/pixel/codec", Engine, "dicom"},
	{"dicom/pixel/codec/codectest", Adapter, "dicom"},
	{"dicom/pixel/codec/jpeg", Engine, "dicom"},
	{"dicom/pixel/codec/jpegls", Engine, "dicom"},
	{"dicom/pixel/codec/marker", Engine, "dicom"},
	{"dicom/pixel/codec/rle", Engine, "dicom"},
	{"dicom/scp", Transport, "dicom"},
	{"dicom/tag", Vocabulary, "dicom"},
	{"dicom/transcode", Engine, "dicom"},
	{"dicom/uid", Vocabulary, "dicom"},
	{"dicom/web", Transport, "dicom"},
	{"dicom/worklist", UseCase, "dicom"},
	{"dicom/xmlmodel", Engine, "dicom"},
	{"docs/gen", Command, ""},
	{"e2e", Command, ""},
	{"e2e/fhir", Command, ""},
	{"e2e/program", Command, ""},
	{"fault", Foundation, ""},
	{"fhir", Vocabulary, "fhir"},
	{"fhir/bundle", UseCase, "fhir"},
	{"fhir/client", Transport, "fhir"},
	{"fhir/client/load", Transport, "fhir"},
	{"fhir/decimal", Foundation, "fhir"},
	{"fhir/fhirpath", Engine, "fhir"},
	{"fhir/interaction", UseCase, "fhir"},
	{"fhir/patch", Engine, "fhir"},
	{"fhir/reindex", UseCase, "fhir"},
	{"fhir/rest", Transport, "fhir"},
	{"fhir/search", Engine, "fhir"},
	{"fhir/searchparam", Engine, "fhir"},
	{"fhir/spec", Engine, "fhir"},
	{"fhir/spec/gen", Command, "fhir"},
	{"fhir/store", Engine, "fhir"},
	{"fhir/store/lsm", Adapter, "fhir"},
	{"fhir/store/memory", Adapter, "fhir"},
	{"fhir/store/storetest", Adapter, "fhir"},
	{"fhir/terminology", Engine, "fhir"},
	{"fhir/ucum", Foundation, "fhir"},
	{"fhir/validate", Engine, "fhir"},
	{"fhir/xmlformat", Engine, "fhir"},
	{"internal/archtest", Command, ""},
	{"internal/serve", Transport, ""},
	{"platform", Whole, ""},
	{"sqldb", Adapter, ""},
	{"sqldb/postgres", Adapter, ""},
	{"sqldb/sqlite", Adapter, ""},
	{"workspace", Vocabulary, ""},
}

// Exception allows one import that the rules forbid.
type Exception struct{ From, To, Reason string }

// Exceptions are all there are.
var Exceptions = []Exception{
	{"fhir/store/storetest", "fhir/store/memory", "the suite compares engines with the model in memory"},
	{"fhir/rest", "internal/serve", "every transport handles requests through it"},
	{"fhir/client/load", "fhir/client", "it loads through a client"},
	{"dicom/index/sqlindex", "sqldb", "it keeps its tables there"},
	{"dicom/web", "internal/serve", "every transport handles requests through it"},
	{"dicom/archive/archivetest", "blob/file", "it puts an archive together for tests"},
	{"dicom/archive/archivetest", "dicom/index/sqlindex", "as before"},
	{"dicom/archive/archivetest", "sqldb/sqlite", "as before"},
	{"dicom/scp", "dicom/dimse", "it is served through it, as HTTP is through internal/serve"},
	{"sqldb/sqlite", "sqldb", "a database is one dialect of it"},
	{"sqldb/postgres", "sqldb", "a database is one dialect of it"},
}

// Fence keeps a module inside some packages, so that it can be replaced there.
type Fence struct {
	Module  string   // path prefix of imports
	Inside  []string // packages that may import it
	Meaning string
}

// Fences are the modules that may not spread.
var Fences = []Fence{
	{"database/sql", []string{"sqldb", "sqldb/sqlite", "sqldb/postgres"}, "SQL goes through sqldb"},
	{"modernc.org/sqlite", []string{"sqldb/sqlite"}, "one package per database"},
	{"github.com/minio/minio-go", []string{"blob/s3"}, "one package per storage"},
	{"github.com/jackc/pgx", []string{"sqldb/postgres"}, "one package per database"},
	{"github.com/cockroachdb/pebble", []string{"fhir/store/lsm", "bench"}, "the embedded database is the engine's own affair; bench measures what it costs by itself"},
	{"github.com/RoaringBitmap/roaring", []string{"fhir/store/lsm"}, "bitmaps are the engine's own affair"},
	{"github.com/maypok86/otter", []string{"fhir/store/lsm", "dicom/archive", "dicom/web"}, "what is kept in memory is the affair of who makes it"},
	{"github.com/cockroachdb/apd", []string{"fhir/decimal", "convert", "convert/liquid"}, "arithmetic has one owner, and templates have decimals of their own"},
	{"github.com/alecthomas/kong", []string{"cmd/salus"}, "flags belong to commands"},
	{"github.com/knadh/koanf", []string{"cmd/salus"}, "settings belong to commands"},
	{"github.com/vbauerster/mpb", []string{"cmd/salus"}, "progress is shown by commands"},
	{"github.com/prometheus", []string{"internal/serve", "platform"}, "metrics are counted at the edge"},
	{"github.com/rs/cors", []string{"platform"}, "who may call from another origin is a setting, and settings are put together in one place"},
	{"go.opentelemetry.io", []string{"internal/serve", "platform"}, "traces begin at the edge"},
	{"go.yaml.in/yaml", []string{"workspace"}, "YAML is read in one place"},
}
