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
}

func (f *file) dicomSettings(n *yaml.Node) DICOMSettings {
	fields := f.mapping(n, "settings of a dicom service", "partitions", "cors", "fhirService", "patientSystem", "issuerAsSystem")
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
	return s
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
