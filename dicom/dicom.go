// Package dicom is the vocabulary of DICOM: tags and the dictionary of attributes, value representations, elements, data sets, character
// sets, person names, dates and times (PS3.3, PS3.5, PS3.6).
//
// A data set keeps the bytes of its values as they were read, in little-endian order, and decodes them when asked. Values that are large
// stay where they are and are known by their place. Nothing here reads files or speaks a protocol: see part10, jsonmodel and dimse.
package dicom
