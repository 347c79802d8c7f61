// Package dimse speaks DICOM over TCP: associations between applications (PS3.8) and the messages that they exchange (PS3.7).
//
// It promises that nothing is allocated for a length that was not checked, that data sets pass through in memory of constant size, and that a silent
// or broken peer ends only its own association. What messages mean is left to package scp.
package dimse
