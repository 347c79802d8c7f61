// Package client is a DICOMweb client (PS3.18): it stores files in a service and retrieves them. The command line, measurements and tests use it.
package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"

	"salus/dicom"
	"salus/dicom/index"
	"salus/dicom/jsonmodel"
	"salus/dicom/tag"
	"salus/fault"
)

// Client speaks to one service. It is safe for concurrent use.
type Client struct {
	base   string
	header http.Header
	http   *http.Client
}

// New makes a client of the service at a URL with its version, such as http://127.0.0.1:8080/default/dicom/v2. header goes with every request.
func New(base string, header http.Header) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fault.New(fault.Invalid, "the URL of the service must begin with http:// or https:// and a host")
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
	return &Client{base: strings.TrimSuffix(base, "/"), header: header, http: &http.Client{Transport: transport}}, nil
}

// Close closes connections that nobody uses.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Failure is an instance that the service did not store.
type Failure struct {
	Instance string // UID; empty when the service could not read the file
	Reason   int64  // PS3.18 §I.2.2
	Comments []string
}

// Result says what became of a request to store.
type Result struct {
	Stored   int
	Warnings int
	Failures []Failure
}

// StoreFile sends one file, of which size is the length or -1 (PS3.18 §10.5).
func (c *Client) StoreFile(ctx context.Context, file io.Reader, size int64) (Result, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/studies", file)
	if err != nil {
		return Result{}, err
	}
	req.ContentLength = size
	c.prepare(req, "application/dicom+json")
	req.Header.Set("Content-Type", "application/dicom")
	res, err := c.http.Do(req)
	if err != nil {
		return Result{}, lost(ctx, err)
	}
	defer res.Body.Close()
	switch res.StatusCode {
	case http.StatusOK, http.StatusAccepted, http.StatusConflict:
	default:
		return Result{}, refused(res)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, 16<<20))
	if err != nil {
		return Result{}, lost(ctx, err)
	}
	d, _, err := jsonmodel.Decode(body)
	if err != nil {
		return Result{}, err
	}
	return result(d), nil
}

func (c *Client) prepare(req *http.Request, accept string) {
	for name, values := range c.header {
		req.Header[name] = values
	}
	req.Header.Set("Accept", accept)
}

// result reads the Store Instances Response Module (PS3.18 §I.2).
func result(d *dicom.Dataset) Result {
	var r Result
	for _, item := range d.Items(tag.ReferencedSOPSequence) {
		r.Stored++
		if item.Has(tag.WarningReason) {
			r.Warnings++
		}
	}
	for _, item := range d.Items(tag.FailedSOPSequence) {
		f := Failure{Instance: item.String(tag.ReferencedSOPInstanceUID)}
		f.Reason, _ = item.Int(tag.FailureReason)
		for _, why := range item.Items(tag.FailedAttributesSequence) {
			f.Comments = append(f.Comments, why.String(tag.ErrorComment))
		}
		r.Failures = append(r.Failures, f)
	}
	return r
}

// lost makes the fault for a request that was not answered.
func lost(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fault.Wrap(fault.Canceled, err, "interrupted")
	}
	return fault.Wrap(fault.Unavailable, err, "the service does not answer")
}

// kinds are what statuses mean to a client.
var kinds = map[int]fault.Kind{
	400: fault.Invalid, 401: fault.Unauthenticated, 403: fault.Forbidden, 404: fault.NotFound, 406: fault.NotAcceptable, 409: fault.Conflict,
	413: fault.TooLarge, 415: fault.MediaType, 429: fault.Throttled, 501: fault.NotSupported, 503: fault.Unavailable,
}

func refused(res *http.Response) error {
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<10))
	if err != nil {
		text = nil // the status says enough
	}
	k, ok := kinds[res.StatusCode]
	if !ok {
		k = fault.Internal
	}
	return fault.New(k, "the service answers %s: %s", res.Status, strings.TrimSpace(string(text)))
}

// Retrieve calls f with each file below UIDs as it is stored (PS3.18 §10.4).
func (c *Client) Retrieve(ctx context.Context, u index.UIDs, f func(io.Reader) error) error {
	path := "/studies/" + u.Study
	if u.Series != "" {
		path += "/series/" + u.Series
	}
	if u.Instance != "" {
		path += "/instances/" + u.Instance
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "the UIDs make no URL")
	}
	c.prepare(req, `multipart/related; type="application/dicom"; transfer-syntax=*`)
	res, err := c.http.Do(req)
	if err != nil {
		return lost(ctx, err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return refused(res)
	}
	_, params, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err != nil || params["boundary"] == "" {
		return fault.New(fault.Internal, "the service's answer is no multipart message")
	}
	parts := multipart.NewReader(res.Body, params["boundary"])
	for {
		p, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return lost(ctx, fmt.Errorf("the answer broke off: %w", err))
		}
		if err := f(p); err != nil {
			return err
		}
	}
}
