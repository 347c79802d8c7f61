package workspace

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// DICOMSettings are the settings of a service of kind dicom. The zero value is
// what a service without settings has.
type DICOMSettings struct {
	Partitions bool // resources are below data partitions: /v2/partitions/{name}/studies
	CORS       CORS

	// FHIRService is the FHIR service of the workspace that gets an ImagingStudy for each study, with its Patient and an Endpoint; empty for none.
	FHIRService    string
	PatientSystem  string // of Patient.identifier there
	IssuerAsSystem bool   // Issuer of Patient ID is the system where an image has it

	DIMSE DIMSE // how others reach it by associations

	Inbox string // folder, or s3:// address of a bucket, whose files are stored; empty for none

	Exports map[string]string // folders, or s3:// addresses of buckets, that instances can be exported to, by the name that requests have for them
}

// DIMSE says who may associate with a service of kind dicom. The zero value is nobody.
type DIMSE struct {
	AETitle   string
	Partition string            // where instances are stored and looked for
	Peers     map[string]string // by AE title, with the host:port at which they receive; empty for those that do not
}

func (f *file) dicomSettings(n *yaml.Node) DICOMSettings {
	fields := f.mapping(n, "settings of a dicom service", "partitions", "cors", "fhirService", "patientSystem", "issuerAsSystem", "exports", "dimse", "inbox")
	var s DICOMSettings
	if at := fields["partitions"]; at != nil {
		s.Partitions = f.truth(at, "partitions")
	}
	if at := fields["cors"]; at != nil {
		s.CORS = f.cors(at)
	}
	if name, ok := f.optional(fields, "fhirService"); ok {
		s.FHIRService = name
	}
	if system, ok := f.optional(fields, "patientSystem"); ok {
		s.PatientSystem = system
	}
	if at := fields["issuerAsSystem"]; at != nil {
		s.IssuerAsSystem = f.truth(at, "issuerAsSystem")
	}
	if at := fields["exports"]; at != nil {
		s.Exports = f.texts(at, "exports", false)
	}
	if folder, ok := f.optional(fields, "inbox"); ok {
		s.Inbox = folder
	}
	if at := fields["dimse"]; at != nil {
		s.DIMSE = f.dimse(at)
	}
	return s
}

// defaultPartition is that of a service without data partitions.
const defaultPartition = "Microsoft.Default"

func (f *file) dimse(n *yaml.Node) DIMSE {
	fields := f.mapping(n, "dimse", "aeTitle", "partition", "peers")
	d := DIMSE{Partition: defaultPartition}
	if title, ok := f.text(fields, "aeTitle", n); ok {
		d.AETitle = f.title(fields["aeTitle"], title)
	}
	if name, ok := f.optional(fields, "partition"); ok {
		d.Partition = name
	}
	if at := fields["peers"]; at != nil {
		d.Peers = f.texts(at, "peers", true)
		for name, address := range d.Peers {
			f.title(at, name)
			if address != "" && !hostPort(address) {
				f.refuse(at, "peers: %s: must be host:port, or empty for an application that receives nothing", name)
			}
		}
	}
	return d
}

func hostPort(s string) bool {
	i := strings.LastIndexByte(s, ':')
	if i < 1 {
		return false
	}
	n, err := strconv.Atoi(s[i+1:])
	return err == nil && n > 0 && n < 1<<16
}

// title refuses what is no AE title (PS3.5 §6.2).
func (f *file) title(n *yaml.Node, s string) string {
	if s == "" || len(s) > 16 || strings.TrimSpace(s) != s || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' || r == '\\' }) {
		f.refuse(n, "%q is no AE title: 1 to 16 characters of ASCII without backslash", s)
	}
	return s
}

// texts returns a mapping of names to strings, which may be empty when that means something.
func (f *file) texts(n *yaml.Node, what string, empty bool) map[string]string {
	if n.Kind != yaml.MappingNode {
		f.refuse(n, "%s: must be a mapping of names to strings", what)
		return nil
	}
	all := map[string]string{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch _, twice := all[key.Value]; {
		case twice:
			f.refuse(key, "%s: %s occurs twice", what, key.Value)
		case value.Kind != yaml.ScalarNode || value.Tag != "!!str" || value.Value == "" && !empty:
			f.refuse(value, "%s: %s: must be a string", what, key.Value)
		default:
			all[key.Value] = value.Value
		}
	}
	return all
}

// optional returns a string that may be missing.
func (f *file) optional(fields map[string]*yaml.Node, key string) (string, bool) {
	at := fields[key]
	if at == nil {
		return "", false
	}
	return f.text(fields, key, at)
}

// CORS returns the service's, whatever its kind.
func (s Service) CORS() CORS {
	if s.Kind == DICOM {
		return s.DICOM.CORS
	}
	return s.FHIR.CORS
}
