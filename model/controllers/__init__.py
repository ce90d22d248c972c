"""What the controllers publish about Services: EndpointSlices, Endpoints, mirrored slices, hints."""
