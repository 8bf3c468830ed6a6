// The page of the REST interface: Swagger UI on the description that this server gives of itself.
window.SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#api",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
});
