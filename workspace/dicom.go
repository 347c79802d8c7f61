package workspace

import "go.yaml.in/yaml/v3"

// DICOMSettings are the settings of a service of kind dicom. The zero value is
// what a service without settings has.
type DICOMSettings struct {
	Partitions bool // resources are below data partitions: /v2/partitions/{name}/studies
	CORS       CORS
}

func (f *file) dicomSettings(n *yaml.Node) DICOMSettings {
	fields := f.mapping(n, "settings of a dicom service", "partitions", "cors")
	var s DICOMSettings
	if at := fields["partitions"]; at != nil {
		s.Partitions = f.truth(at, "partitions")
	}
	if at := fields["cors"]; at != nil {
		s.CORS = f.cors(at)
	}
	return s
}

// CORS returns the service's, whatever its kind.
func (s Service) CORS() CORS {
	if s.Kind == DICOM {
		return s.DICOM.CORS
	}
	return s.FHIR.CORS
}
