//! Times a network in rten: `rten MODEL FOLDER SECONDS N..`, each `N` a number of rows that run at a time.
//!
//! FOLDER holds `inputs.txt`, a line an input (name, dtype f32 or i32, lengths), and its elements in `NAME.bin`. The first
//! axis of each input is cut to `N` rows; `N` of 0 takes them as they are. Threads are those of `RTEN_NUM_THREADS`.
//! Written to stdout, one a line: seconds until the network was read, then for each `N` the median nanoseconds of a run.

use rten::{Model, Value, ValueOrView};
use std::error::Error;
use std::path::Path;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [model, folder, seconds, rows @ ..] = &args[..] else {
        return Err("rten MODEL FOLDER SECONDS N..".into());
    };
    let seconds: f64 = seconds.parse()?;
    let start = Instant::now();
    let network = Model::load_file(model)?;
    println!("{}", start.elapsed().as_secs_f64());
    for n in rows {
        let inputs = inputs(Path::new(folder), n.parse()?)?;
        let run = || -> Result<f64, Box<dyn Error>> {
            let mut given: Vec<(_, ValueOrView<'_>)> = Vec::new();
            for (name, value) in &inputs {
                given.push((network.node_id(name)?, value.into()));
            }
            let start = Instant::now();
            std::hint::black_box(network.run(given, network.output_ids(), None)?);
            Ok(start.elapsed().as_nanos() as f64)
        };
        run()?;
        let mut passes = Vec::new();
        let start = Instant::now();
        while passes.len() < 5 || start.elapsed().as_secs_f64() < seconds {
            passes.push(run()?);
        }
        passes.sort_by(f64::total_cmp);
        println!("{}", passes[passes.len() / 2]);
    }
    Ok(())
}

fn inputs(folder: &Path, rows: usize) -> Result<Vec<(String, Value)>, Box<dyn Error>> {
    let mut inputs = Vec::new();
    for line in std::fs::read_to_string(folder.join("inputs.txt"))?.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [name, dtype, lengths @ ..] = &words[..] else { return Err(line.into()) };
        let mut dims: Vec<usize> = lengths.iter().map(|n| n.parse()).collect::<Result<_, _>>()?;
        let bytes = std::fs::read(folder.join(format!("{name}.bin")))?;
        if rows > 0 {
            *dims.first_mut().ok_or("an input without rows")? = rows;
        }
        let n: usize = dims.iter().product();
        let words = bytes.as_chunks::<4>().0.get(..n).ok_or("too few elements")?;
        let value = match *dtype {
            "f32" => Value::from_shape(&dims, words.iter().map(|w| f32::from_le_bytes(*w)).collect::<Vec<_>>())?,
            _ => Value::from_shape(&dims, words.iter().map(|w| i32::from_le_bytes(*w)).collect::<Vec<_>>())?,
        };
        inputs.push((name.to_string(), value));
    }
    Ok(inputs)
}
