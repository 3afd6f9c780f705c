//! Images that the engine has.

use windlass_gate::CallError;
use windlass_gate::api::docker::{InspectImage, ListImages, Tag};

use crate::common::{ALL, BASE, bollard, engine, error};

#[test]
fn a_tag_is_another_name() {
    engine(|world| async move {
        let mut step = world.step(ALL);
        let base = step.call(&InspectImage { reference: BASE.into() }).await.expect("there");
        assert!(
            base.id.starts_with("sha256:")
                && base.size > 1_000_000
                && base.platform.starts_with("linux/")
                && base.created.ends_with('Z')
        );
        let repository = format!("windlass-test/{}", world.run);
        for tag in ["1", "2"] {
            step.call(&Tag { image: BASE.into(), reference: format!("{repository}:{tag}") }).await.expect("tagged");
            step.call(&Tag { image: BASE.into(), reference: format!("{repository}:{tag}") })
                .await
                .expect("tagged twice is tagged");
        }
        // Without a tag it is `latest`.
        step.call(&Tag { image: format!("{repository}:1"), reference: repository.clone() }).await.expect("tagged");
        let images = step.call(&ListImages { repository: repository.clone() }).await.expect("listed");
        let [image] = images.as_slice() else { panic!("{images:?}") };
        assert_eq!(image.id, base.id);
        let docker = bollard();
        for tag in ["1", "2", "latest"] {
            let name = format!("{repository}:{tag}");
            assert!(image.tags.contains(&name), "{name}");
            docker
                .remove_image(&name, None::<bollard::query_parameters::RemoveImageOptions>, None)
                .await
                .expect("removed");
        }
        assert_eq!(step.call(&ListImages { repository }).await.expect("listed"), []);
    });
}

#[test]
fn an_image_that_is_not_there_is_named() {
    engine(|world| async move {
        let mut step = world.step(ALL);
        let absent = format!("windlass-test/{}:1", world.run);
        let error_of_inspect = error(step.call(&InspectImage { reference: absent.clone() }).await);
        assert!(
            matches!(&error_of_inspect, CallError::NotFound(text) if text.contains(&absent)),
            "{error_of_inspect:?}"
        );
        let error_of_tag =
            error(step.call(&Tag { image: absent.clone(), reference: "windlass-test/x:1".into() }).await);
        assert!(matches!(&error_of_tag, CallError::NotFound(text) if text.contains(&absent)), "{error_of_tag:?}");
    });
}

#[test]
fn names_that_are_none_are_refused() {
    engine(|world| async move {
        let mut host = world.host(1);
        for name in ["", "../containers/json", "a?b", "A/b", "x:y:z"] {
            assert!(
                matches!(error(host.call(&InspectImage { reference: name.into() }).await), CallError::Invalid(_)),
                "{name}"
            );
            assert!(
                matches!(
                    error(host.call(&Tag { image: BASE.into(), reference: name.into() }).await),
                    CallError::Invalid(_)
                ),
                "{name}"
            );
        }
    });
}
