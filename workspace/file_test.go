package workspace_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"salus/fault"
	"salus/workspace"
)

func read(text string) (workspace.Workspace, error) {
	return workspace.Read("start.yaml", strings.NewReader(text))
}

func TestReadAcceptsServicesInOrder(t *testing.T) {
	got, err := read("workspace: clinic1\nservices:\n  - {name: fhir, kind: fhir}\n  - name: fhir-archive\n    kind: fhir\n    settings: {}\n")
	if err != nil {
		t.Fatal(err)
	}
	want := workspace.Workspace{Name: "clinic1", Services: []workspace.Service{
		{Name: "fhir", Kind: workspace.FHIR}, {Name: "fhir-archive", Kind: workspace.FHIR}}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("read differs (-want +got):\n%s", d)
	}
}

func TestReadFHIRSettings(t *testing.T) {
	got, err := read(`workspace: clinic1
services:
  - name: fhir
    kind: fhir
    settings:
      compat: strict
      versioning: {default: version-update, types: {AuditEvent: no-version}}
      referentialIntegrity: true
      cors: {origins: [https://app.example.org], methods: [GET, PUT], headers: ["*"], maxAge: 1440, credentials: true}
`)
	if err != nil {
		t.Fatal(err)
	}
	want := workspace.FHIRSettings{
		Strict: true, Versioning: workspace.VersionedUpdate, TypeVersioning: map[string]string{"AuditEvent": workspace.NoVersion},
		ReferentialIntegrity: true,
		CORS: workspace.CORS{
			Origins: []string{"https://app.example.org"}, Methods: []string{"GET", "PUT"}, Headers: []string{"*"}, MaxAge: 1440, Credentials: true,
		},
	}
	if d := cmp.Diff(want, got.Services[0].FHIR); d != "" {
		t.Errorf("read differs (-want +got):\n%s", d)
	}
}

func TestReadDICOMSettings(t *testing.T) {
	got, err := read(`workspace: clinic1
services:
  - {name: fhir, kind: fhir}
  - name: images
    kind: dicom
    settings:
      partitions: true
      fhirService: fhir
      patientSystem: http://example.org/mrn
      issuerAsSystem: true
      exports: {research: /srv/research, backup: backup}
      inbox: /srv/inbox
      dimse: {aeTitle: SALUS, peers: {CT1: "10.0.0.5:104", VIEWER: ""}}
`)
	if err != nil {
		t.Fatal(err)
	}
	want := workspace.DICOMSettings{
		Partitions: true, FHIRService: "fhir", PatientSystem: "http://example.org/mrn", IssuerAsSystem: true,
		Exports: map[string]string{"research": "/srv/research", "backup": "backup"},
		Inbox:   "/srv/inbox",
		DIMSE:   workspace.DIMSE{AETitle: "SALUS", Partition: "Microsoft.Default", Peers: map[string]string{"CT1": "10.0.0.5:104", "VIEWER": ""}},
	}
	if d := cmp.Diff(want, got.Services[1].DICOM); d != "" {
		t.Errorf("read differs (-want +got):\n%s", d)
	}
}

func TestReadNamesLineAndRule(t *testing.T) {
	tests := []struct {
		name, text string
		kind       fault.Kind
		issues     []string // "location: text", as prefixes
	}{
		{"empty file", "", fault.Invalid, nil},
		{"no YAML", "workspace: [", fault.Invalid, nil},
		{"a list", "- 1\n", fault.Invalid, []string{"start.yaml line 1: the file must be a mapping", "start.yaml line 1: services: missing"}},
		{"nothing but a name", "workspace: clinic\n", fault.Invalid, []string{"start.yaml line 1: services: missing"}},
		{"no service", "workspace: clinic\nservices: []\n", fault.Invalid, []string{"start.yaml line 2: services: must be a list of at least one"}},
		{"a service that is no mapping", "workspace: clinic\nservices:\n- fhir\n", fault.Invalid, []string{"start.yaml line 3: a service must be a mapping"}},
		{"unknown key", "workspace: clinic\nservice: x\nservices:\n- {name: fhir, kind: fhir}\n", fault.Invalid,
			[]string{"start.yaml line 2: service: unknown key"}},
		{"key twice", "workspace: clinic\nservices:\n- {name: fhir, name: b12, kind: fhir}\n", fault.Invalid,
			[]string{"start.yaml line 3: name: the key occurs twice"}},
		{"every problem at once", "workspace: A\nservices:\n- {name: x, kind: fhir}\n- {kind: soap}\n", fault.Invalid,
			[]string{"start.yaml line 1: workspace: a workspace name has", "start.yaml line 3: name: a service name has",
				"start.yaml line 4: name: missing", "start.yaml line 4: kind: there is no such kind"}},
		{"service twice", "workspace: clinic\nservices:\n- {name: fhir, kind: fhir}\n- {name: fhir, kind: fhir}\n", fault.Invalid,
			[]string{`start.yaml line 4: name: the service "fhir" is already on line 3`}},
		{"number as name", "workspace: 123\nservices:\n- {name: fhir, kind: fhir}\n", fault.Invalid,
			[]string{"start.yaml line 1: workspace: must be a string"}},
		{"kind of a later build", "workspace: clinic\nservices:\n- {name: fhir, kind: fhir}\n- {name: devices, kind: medtech}\n", fault.NotSupported,
			[]string{"start.yaml line 4: kind: medtech services are not in this build; it has: fhir, dicom"}},
		{"unsupported and wrong", "workspace: clinic\nservices:\n- {name: fhir, kind: fhir, x: 1}\n- {name: devices, kind: medtech}\n", fault.Invalid,
			[]string{"start.yaml line 3: x: unknown key", "start.yaml line 4: kind: medtech services"}},
		{"setting that does nothing", "workspace: clinic\nservices:\n- name: fhir\n  kind: fhir\n  settings:\n    version: none\n", fault.Invalid,
			[]string{"start.yaml line 6: version: unknown key; settings of a fhir service has the keys compat"}},
		{"settings that break their rules", "workspace: clinic\nservices:\n- name: fhir\n  kind: fhir\n  settings:\n    compat: hapi\n" +
			"    versioning:\n      default: none\n      types: {Patient: all}\n    referentialIntegrity: maybe\n" +
			"    cors:\n      origins: ['*']\n      methods: GET\n      maxAge: -1\n      credentials: true\n", fault.Invalid,
			[]string{"start.yaml line 6: compat: must be one of azure, strict", "start.yaml line 8: default: must be one of",
				"start.yaml line 9: Patient: must be one of", "start.yaml line 10: referentialIntegrity: must be true or false",
				"start.yaml line 13: methods: must be a list", "start.yaml line 14: maxAge: must be", "start.yaml line 12: cors: credentials"}},
		{"origins that are none", "workspace: clinic\nservices:\n- name: fhir\n  kind: fhir\n  settings:\n    cors:\n      origins: [app.example.org]\n", fault.Invalid,
			[]string{"start.yaml line 7: origins: must be * or"}},
		{"peers that are none", "workspace: clinic\nservices:\n- name: images\n  kind: dicom\n  settings:\n    dimse:\n      peers: {A_NAME_THAT_IS_TOO_LONG: x}\n", fault.Invalid,
			[]string{"start.yaml line 7: aeTitle: missing", `start.yaml line 7: "A_NAME_THAT_IS_TOO_LONG" is no AE title`, "start.yaml line 7: peers: A_NAME_THAT_IS_TOO_LONG: must be host:port"}},
		{"exports that are no folders", "workspace: clinic\nservices:\n- name: images\n  kind: dicom\n  settings:\n    exports: {a: 1, a: x}\n", fault.Invalid,
			[]string{"start.yaml line 6: exports: a: must be a string"}},
		{"two documents", "workspace: clinic\nservices:\n- {name: fhir, kind: fhir}\n---\nworkspace: b\n", fault.Invalid,
			[]string{"start.yaml line 1: one file describes one workspace"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := read(tt.text)
			if !fault.Is(err, tt.kind) {
				t.Fatalf("got %v, want a fault of kind %v", err, tt.kind)
			}
			got := fault.As(err).Issues
			if len(got) != len(tt.issues) {
				t.Fatalf("got %d issues %v, want %d", len(got), got, len(tt.issues))
			}
			for i, want := range tt.issues {
				if line := got[i].Location + ": " + got[i].Text; !strings.HasPrefix(line, want) {
					t.Errorf("issue %d is %q, want it to start with %q", i, line, want)
				}
			}
		})
	}
}

func TestNames(t *testing.T) {
	tests := []struct {
		name               string
		workspace, service bool
	}{
		{"default", true, true}, {"abc", true, true}, {"a23", true, true}, {strings.Repeat("a", 24), true, true},
		{"fhir-2", false, true}, {"a-b", false, true}, {"ab", false, false}, {"", false, false}, {"a--", false, false},
		{strings.Repeat("a", 25), false, false}, {"2ab", false, false}, {"-ab", false, false}, {"Abc", false, false},
		{"a_b", false, false}, {"a.b", false, false}, {"../", false, false}, {"ünder", false, false}, {"a\x00b", false, false},
		{"metrics", false, true}, {"health", false, false}, {"subscriptions", false, true}, {"auth", true, false},
	}
	for _, tt := range tests {
		if got := workspace.CheckName(tt.name) == nil; got != tt.workspace {
			t.Errorf("CheckName(%q) accepts: %v, want %v", tt.name, got, tt.workspace)
		}
		if got := workspace.CheckServiceName(tt.name) == nil; got != tt.service {
			t.Errorf("CheckServiceName(%q) accepts: %v, want %v", tt.name, got, tt.service)
		}
	}
	if w := workspace.Default(); workspace.CheckName(w.Name) != nil || workspace.CheckServiceName(w.Services[0].Name) != nil {
		t.Error("the default workspace breaks its own rules")
	}
}

func FuzzRead(f *testing.F) {
	f.Add("workspace: clinic\nservices:\n- {name: fhir, kind: fhir, settings: {a: 1}}\n")
	f.Add("a: &x [*x]\n")
	f.Add("? - 1\n: 2\n---\n")
	f.Fuzz(func(t *testing.T, text string) {
		w, err := read(text)
		if err != nil {
			if k := fault.KindOf(err); k != fault.Invalid && k != fault.NotSupported {
				t.Fatalf("unexpected kind of %v", err)
			}
			return
		}
		if workspace.CheckName(w.Name) != nil || len(w.Services) == 0 {
			t.Fatalf("accepted %+v", w)
		}
		for _, s := range w.Services {
			if workspace.CheckServiceName(s.Name) != nil {
				t.Fatalf("accepted %+v", w)
			}
		}
	})
}
