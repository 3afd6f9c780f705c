//! Images that the daemon has: their names, and what is known of them.

use std::collections::HashMap;

use bollard::models::ImageInspect;
use bollard::query_parameters::{ListImagesOptionsBuilder, TagImageOptionsBuilder};
use futures_util::{StreamExt as _, TryStreamExt as _};
use windlass_gate::CallError;
use windlass_gate::api::docker::{Image, Tag};

use crate::connect::Engine;
use crate::names;
use crate::reference::{self, Reference};

/// How many images are looked at at the same time.
const AT_ONCE: usize = 8;

/// Gives an image another name.
pub(crate) async fn tag(engine: &Engine, args: &Tag) -> Result<(), CallError> {
    reference::check_image(&args.image)?;
    let name = Reference::parse(&args.reference)?;
    if name.digest.is_some() {
        return Err(CallError::Invalid(format!(
            "`{}` has a digest, which an image has by its content and cannot be given",
            args.reference
        )));
    }
    let options = TagImageOptionsBuilder::default().repo(&name.repository).tag(name.tag_or_latest()).build();
    engine
        .api
        .tag_image(&args.image, Some(options))
        .await
        .map_err(|error| engine.fault(format_args!("cannot give image `{}` the name `{name}`", args.image), error))
}

/// What is known of an image.
pub(crate) async fn inspect(engine: &Engine, text: &str) -> Result<Image, CallError> {
    reference::check_image(text)?;
    let found = engine
        .api
        .inspect_image(text)
        .await
        .map_err(|error| engine.fault(format_args!("cannot look at image `{text}`"), error))?;
    Ok(describe(found))
}

/// The images of a repository, the newest first.
pub(crate) async fn list(engine: &Engine, repository: &str) -> Result<Vec<Image>, CallError> {
    let name = Reference::parse(repository)?;
    let filters = HashMap::from([("reference".to_owned(), vec![name.to_string()])]);
    let options = ListImagesOptionsBuilder::default().filters(&filters).build();
    let found = engine
        .api
        .list_images(Some(options))
        .await
        .map_err(|error| engine.fault(format_args!("cannot list the images of `{repository}`"), error))?;
    let looks = found.into_iter().map(|image| async move {
        match engine.api.inspect_image(&image.id).await {
            Ok(found) => Ok(Some(describe(found))),
            // It went away between the two requests.
            Err(bollard::errors::Error::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
            Err(error) => Err(engine.fault(format_args!("cannot look at image `{}`", image.id), error)),
        }
    });
    let mut images: Vec<Image> = futures_util::stream::iter(looks)
        .buffered(AT_ONCE)
        .try_filter_map(|found| async move { Ok(found) })
        .try_collect()
        .await?;
    images.sort_by(|a, b| (&b.created, &a.id).cmp(&(&a.created, &b.id)));
    Ok(images)
}

fn describe(found: ImageInspect) -> Image {
    let config = found.config.unwrap_or_default();
    let mut exposed_ports = config.exposed_ports.unwrap_or_default();
    exposed_ports.sort();
    let variant =
        found.variant.filter(|variant| !variant.is_empty()).map(|variant| format!("/{variant}")).unwrap_or_default();
    Image {
        id: found.id.unwrap_or_default(),
        tags: found.repo_tags.unwrap_or_default(),
        digests: found.repo_digests.unwrap_or_default(),
        size: found.size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default(),
        created: found.created.unwrap_or_default(),
        platform: format!("{}/{}{variant}", found.os.unwrap_or_default(), found.architecture.unwrap_or_default()),
        labels: names::visible(config.labels.unwrap_or_default(), None),
        exposed_ports,
    }
}
