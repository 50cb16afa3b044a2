"""Systems that the paper cites, as pipelines of features, selection and classifier."""
