package archive

import (
	"salus/dicom"
	"salus/dicom/index"
	"salus/dicom/tag"
)

// shown are the attributes of each level that the index keeps ready for answers. Others are read from the metadata of the newest instance.
var shown = [...][]dicom.Tag{
	index.Study: {
		tag.SpecificCharacterSet, tag.StudyDate, tag.StudyTime, tag.AccessionNumber, tag.InstanceAvailability, tag.ReferringPhysicianName,
		tag.TimezoneOffsetFromUTC, tag.StudyDescription, tag.PatientName, tag.PatientID, tag.PatientBirthDate, tag.PatientSex,
		tag.StudyInstanceUID, tag.StudyID,
	},
	index.Series: {
		tag.SpecificCharacterSet, tag.Modality, tag.TimezoneOffsetFromUTC, tag.SeriesDate, tag.SeriesTime, tag.SeriesDescription, tag.ManufacturerModelName,
		tag.BodyPartExamined, tag.SeriesInstanceUID, tag.SeriesNumber, tag.Laterality, tag.PerformedProcedureStepStartDate,
		tag.PerformedProcedureStepStartTime, tag.RequestAttributesSequence,
	},
	index.Instance: {
		tag.SpecificCharacterSet, tag.SOPClassUID, tag.SOPInstanceUID, tag.InstanceAvailability, tag.TimezoneOffsetFromUTC, tag.InstanceNumber,
		tag.NumberOfFrames, tag.Rows, tag.Columns, tag.BitsAllocated,
	},
}

// Version is that of the service's API, on which depends what a search returns unasked.
type Version int

// The versions.
const (
	V1 Version = iota + 1
	V2
)

// defaults are the attributes that a search returns unasked (reference service's conformance statements; PS3.18 tables 10.6.3-3 to 5).
var defaults = map[Version][index.Instance + 1][]dicom.Tag{
	V1: {
		index.Study: {
			tag.SpecificCharacterSet, tag.StudyDate, tag.StudyTime, tag.AccessionNumber, tag.InstanceAvailability, tag.ReferringPhysicianName,
			tag.TimezoneOffsetFromUTC, tag.PatientName, tag.PatientID, tag.PatientBirthDate, tag.PatientSex, tag.StudyID, tag.StudyInstanceUID,
		},
		index.Series: {
			tag.SpecificCharacterSet, tag.Modality, tag.TimezoneOffsetFromUTC, tag.SeriesDescription, tag.SeriesInstanceUID,
			tag.PerformedProcedureStepStartDate, tag.PerformedProcedureStepStartTime, tag.RequestAttributesSequence,
		},
		index.Instance: {
			tag.SpecificCharacterSet, tag.SOPClassUID, tag.SOPInstanceUID, tag.InstanceAvailability, tag.TimezoneOffsetFromUTC, tag.InstanceNumber,
			tag.Rows, tag.Columns, tag.BitsAllocated, tag.NumberOfFrames,
		},
	},
	V2: {
		index.Study: {
			tag.StudyDate, tag.AccessionNumber, tag.ReferringPhysicianName, tag.StudyDescription, tag.PatientName, tag.PatientID, tag.PatientBirthDate,
			tag.StudyInstanceUID,
		},
		index.Series:   {tag.Modality, tag.ManufacturerModelName, tag.SeriesInstanceUID, tag.PerformedProcedureStepStartDate},
		index.Instance: {tag.SOPInstanceUID},
	},
}

// further are the attributes that includefield=all adds to the defaults of version 1.
var further = [index.Instance + 1][]dicom.Tag{
	index.Study: {
		tag.StudyDescription, tag.AnatomicRegionsInStudyCodeSequence, tag.ProcedureCodeSequence, tag.NameOfPhysiciansReadingStudy,
		tag.AdmittingDiagnosesDescription, tag.ReferencedStudySequence, tag.PatientAge, tag.PatientSize, tag.PatientWeight, tag.Occupation,
		tag.AdditionalPatientHistory,
	},
	index.Series: {tag.SeriesNumber, tag.Laterality, tag.SeriesDate, tag.SeriesTime},
}

// computed are the attributes that no instance has and the index knows, by level.
var computed = map[dicom.Tag]index.Level{
	tag.ModalitiesInStudy:              index.Study,
	tag.NumberOfStudyRelatedSeries:     index.Study,
	tag.NumberOfStudyRelatedInstances:  index.Study,
	tag.NumberOfSeriesRelatedInstances: index.Series,
}
