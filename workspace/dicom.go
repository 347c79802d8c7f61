package workspace

import "go.yaml.in/yaml/v3"

// DICOMSettings are the settings of a service of kind dicom. The zero value is
// what a service without settings has.
type DICOMSettings struct {
	Partitions bool // resources are below data partitions: /v2/partitions/{name}/studies
	CORS       CORS

	// FHIRService is the FHIR service of the workspace that gets an ImagingStudy for each study, with its Patient and an Endpoint; empty for none.
	FHIRService    string
	PatientSystem  string // of Patient.identifier there
	IssuerAsSystem bool   // Issuer of Patient ID is the system where an image has it

	Exports map[string]string // folders that instances can be exported to, by the name that requests have for them
}

func (f *file) dicomSettings(n *yaml.Node) DICOMSettings {
	fields := f.mapping(n, "settings of a dicom service", "partitions", "cors", "fhirService", "patientSystem", "issuerAsSystem", "exports")
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
		s.Exports = f.texts(at, "exports")
	}
	return s
}

// texts returns a mapping of names to strings.
func (f *file) texts(n *yaml.Node, what string) map[string]string {
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
		case value.Kind != yaml.ScalarNode || value.Tag != "!!str" || value.Value == "":
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
