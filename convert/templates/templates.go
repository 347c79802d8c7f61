// Package templates has the templates that Salus brings with it. They are written from the maps of the HL7 v2-to-FHIR implementation guide (segment and
// data type maps; each file names its own), for messages of every type: segments are gone through in their order, and become the same resources
// wherever they stand.
package templates

import (
	"embed"
	"io/fs"
	"path"
	"strings"

	"salus/convert/liquid"
)

//go:embed all:hl7v2
var files embed.FS

// messages are the types of messages that there is a root template for, by the names that the reference service's templates have.
const messages = "ADT_A01 ADT_A02 ADT_A03 ADT_A04 ADT_A05 ADT_A06 ADT_A07 ADT_A08 ADT_A09 ADT_A10 ADT_A11 ADT_A12 ADT_A13 ADT_A14 ADT_A15 ADT_A16 ADT_A25 ADT_A26 ADT_A27 ADT_A28 " +
	"ADT_A31 ADT_A38 ADT_A60 BAR_P01 BAR_P02 BAR_P12 DFT_P03 DFT_P11 MDM_T01 MDM_T02 MDM_T05 MDM_T06 MDM_T09 MDM_T10 OMG_O19 OML_O21 ORM_O01 ORU_R01 OUL_R22 OUL_R23 OUL_R24 " +
	"RDE_O11 RDE_O25 RDS_O13 REF_I12 REF_I14 SIU_S12 SIU_S13 SIU_S14 SIU_S15 SIU_S16 SIU_S17 SIU_S26 VXU_V04"

// HL7v2 returns the templates for HL7 v2 messages.
func HL7v2() []liquid.File {
	const dir = "hl7v2"
	var all []liquid.File
	err := fs.WalkDir(files, dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := files.ReadFile(name)
		all = append(all, liquid.File{Path: strings.TrimPrefix(name, dir+"/"), Content: b})
		return err
	})
	if err != nil {
		panic(err) // they are part of the program
	}
	for name := range strings.FieldsSeq(messages) {
		all = append(all, liquid.File{Path: path.Join(name + ".liquid"), Content: []byte("{% include 'Message' -%}")})
	}
	return all
}
